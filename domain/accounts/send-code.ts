import type { SendVerificationInput, SendVerificationOutcome } from '../../contracts/workflows/send-verification.ts';
import { type UserRow, userById, usersByIdentifier } from '../../db/queries/users.ts';
import { type VerificationRow, beginVerification } from '../../db/queries/verifications.ts';
import type { Deps } from '../deps.ts';
import { wordingFor } from '../wording/index.ts';
import { codeLimits, codeOf } from './contacts.ts';
import { isProvedBy } from './notices.ts';
import { sendLetter } from './send-letter.ts';

type CodeDeps = Pick<Deps, 'db' | 'now' | 'mac' | 'senders' | 'publicUrl'>;

/**
 * Sends the code of a request, if it is still the newest on its channel. Its time begins with the first sending: what
 * sends may have been away for longer than a code lives. Sending twice is harmless: a repeat carries the same code.
 */
export async function sendCode(
  deps: CodeDeps,
  { userId, verificationId, channel }: SendVerificationInput,
): Promise<SendVerificationOutcome> {
  const at = deps.now();
  const until = new Date(at.getTime() + codeLimits.lifetimeMs);
  const request = await beginVerification(deps.db, { userId, channel, id: verificationId }, { at, until });
  if (!request) return 'superseded';
  const holder = await otherHolder(deps, request);
  return holder ? tellHolder(deps, request, holder) : tellCode(deps, request);
}

async function tellCode(deps: CodeDeps, request: VerificationRow): Promise<SendVerificationOutcome> {
  const wording = wordingFor((await userById(deps.db, request.userId))?.locale ?? 'en');
  const { email, sms } = wording.words;
  return sendLetter(deps, request, wording, {
    ...{ id: request.id, kind: 'verification', subject: email.codeSubject },
    ...{ paragraphs: [email.code, email.ignore], sms: sms.code },
    values: { code: codeOf(deps, request.id), minutes: codeLimits.lifetimeMs / 60_000 },
  });
}

/** Who has proved what somebody else asks a code for. */
async function otherHolder(
  { db }: Pick<Deps, 'db'>,
  { userId, channel, target }: VerificationRow,
): Promise<UserRow | undefined> {
  const [holder] = await usersByIdentifier(db, target, 1);
  const proved = holder && isProvedBy(holder, { channel, target });
  return proved && holder.id !== userId ? holder : undefined;
}

/**
 * They may be who asks, and have forgotten that they have an account; else they know now that somebody asks. Who asks
 * learns nothing: neither that there is an account nor a code.
 */
function tellHolder(deps: CodeDeps, request: VerificationRow, holder: UserRow): Promise<SendVerificationOutcome> {
  const wording = wordingFor(holder.locale);
  const { email, sms } = wording.words;
  return sendLetter(deps, request, wording, {
    ...{ id: request.id, kind: 'verification', subject: email.haveAccountSubject },
    ...{ paragraphs: [email.haveAccount, email.haveAccountIgnore], sms: sms.haveAccount },
  });
}
