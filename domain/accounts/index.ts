export { createToken, endFoundToken, endToken, endTokens, listTokens } from './access-tokens.ts';
export { type Authenticate, createAuthenticate, isOpen } from './authenticate.ts';
export { createBot, createBotToken, endBot, listBotTokens, listBots, renameBot } from './bots.ts';
export { blockUser, listBlocks, unblockUser } from './blocks.ts';
export { changeContact, verifyContact } from './contacts.ts';
export { forgetDevice, listDevices, putDevice } from './devices.ts';
export {
  type Beginning,
  type ProvedIdentity,
  addressOf,
  comeBack,
  endTransaction,
  exchangeCode,
  setOut,
  signInOver,
} from './elsewhere.ts';
export { getFactors } from './factors.ts';
export { addIdentity, beginIdentity, listIdentities, removeIdentity } from './identities.ts';
export { loseFactors } from './lost-factors.ts';
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
export { listSessions, logout, revokeOtherSessions, revokeSession } from './sessions.ts';
export { answerSecondFactor } from './second-factor.ts';
export { changePassword, forgotPassword, resetPassword } from './passwords.ts';
export { startNotices, startVerifications } from './relay-owed.ts';
export { sendCode } from './send-code.ts';
export { sendNotice } from './send-notice.ts';
export { login, makeAccount, register } from './sign-in.ts';
export { beginPasskeyStepUp, stepUp } from './step-up.ts';
export { refuseTaken } from './taken.ts';
export { beginTotp, confirmTotp, removeTotp } from './totp.ts';
