import type { UserId } from '../../contracts/ids.ts';

/** What makes a direct conversation the only one of its pair; one id alone is a person's notes to themselves. */
export const directKey = (people: readonly UserId[]): string => `direct:${[...people].sort().join(':')}`;
