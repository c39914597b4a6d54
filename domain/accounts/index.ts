export { blockUser, listBlocks, unblockUser } from './blocks.ts';
export { changeContact, verifyContact } from './contacts.ts';
export { forgetDevice, listDevices, putDevice } from './devices.ts';
export { getFactors } from './factors.ts';
export { getMe, getUser, updateMe } from './me.ts';
export { getNotificationSettings, updateNotificationSettings } from './notification-settings.ts';
export {
  addPasskey,
  beginPasskey,
  beginPasskeySignIn,
  removePasskey,
  renamePasskey,
  signInWithPasskey,
} from './passkeys.ts';
export { renewRecoveryCodes } from './recovery-codes.ts';
export { refresh, sessionOfRefreshToken } from './refresh.ts';
export { type Revocations, createRevocations } from './revocations.ts';
export { isOpen, listSessions, logout, revokeOtherSessions, revokeSession } from './sessions.ts';
export { answerSecondFactor } from './second-factor.ts';
export { changePassword, forgotPassword, resetPassword } from './passwords.ts';
export { startNotices, startVerifications } from './relay-owed.ts';
export { sendCode } from './send-code.ts';
export { sendNotice } from './send-notice.ts';
export { login, makeAccount, register } from './sign-in.ts';
export { requireProof } from './proof.ts';
export { beginPasskeyStepUp, stepUp } from './step-up.ts';
export { refuseTaken } from './taken.ts';
export { beginTotp, confirmTotp, removeTotp } from './totp.ts';
