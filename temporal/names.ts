import { type TaskQueue, taskQueues } from '../contracts/workflows/names.ts';

/** The queue's name in this deployment; several may share a namespace. */
export const queueName = (prefix: string, queue: TaskQueue): string => `${prefix}${taskQueues[queue]}`;

/** What Temporal knows the workers of this deployment by, whatever they were built from. */
export const deploymentName = (prefix: string): string => `${prefix}homing`;

/** Workflow ids are business ids: uniqueness is then Temporal's own work. They are never encrypted, so ids only. */
export const workflowIds = {
  escalateUnread: ({ userId, episode }: { userId: string; episode: number }) => `attention/${userId}/${episode}`,
  sendVerification: ({ verificationId }: { verificationId: string }) => `verification/${verificationId}`,
  sendNotice: ({ noticeId }: { noticeId: string }) => `notice/${noticeId}`,
};
