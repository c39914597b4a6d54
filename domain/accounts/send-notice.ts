import type { OwnerNoticeKind, SendNoticeInput, SendNoticeOutcome } from '../../contracts/workflows/send-notice.ts';
import { deleteNotice, noticeById } from '../../db/queries/notices.ts';
import {
  type PasswordResetRow,
  beginPasswordReset,
  deletePasswordReset,
  passwordReset,
} from '../../db/queries/password-resets.ts';
import { type UserRow, userById, usersByIdentifier } from '../../db/queries/users.ts';
import type { Deps } from '../deps.ts';
import { type Words, wordingFor } from '../wording/index.ts';
import { provedContacts } from './notices.ts';
import { resetLifetimeMs, resetTokenOf } from './passwords.ts';
import { type Letter, sendLetter } from './send-letter.ts';

type NoticeDeps = Pick<Deps, 'db' | 'now' | 'mac' | 'senders' | 'publicUrl'>;

/** Tells somebody what there is to tell of their account. Sending twice is harmless: both say the same. */
export function sendNotice(deps: NoticeDeps, { noticeId, kind }: SendNoticeInput): Promise<SendNoticeOutcome> {
  return kind === 'password_forgotten' ? sendReset(deps, noticeId) : sendChange(deps, noticeId, kind);
}

async function sendChange(deps: NoticeDeps, id: string, kind: OwnerNoticeKind): Promise<SendNoticeOutcome> {
  const notice = await noticeById(deps.db, id);
  if (!notice) return 'superseded';
  const { channel, target, userId } = notice;
  const { locale, timeZone } = (await userById(deps.db, userId)) ?? { locale: 'en', timeZone: 'UTC' };
  const wording = wordingFor(locale);
  const at = momentOf(notice.at, wording.language, timeZone);
  const letter: Letter = { id, kind: 'notice', ...told(wording.words, kind), values: { at } };
  const outcome = await sendLetter(deps, { channel, target }, wording, letter);
  await deleteNotice(deps.db, id);
  return outcome;
}

/**
 * What there is to say of each. What a device calls itself is not told: whoever signs in chooses it, and would choose what
 * stands in our mail.
 */
function told({ email, account, sms }: Words, kind: OwnerNoticeKind): Pick<Letter, 'subject' | 'paragraphs' | 'sms'> {
  switch (kind) {
    case 'password_changed':
      return { subject: email.passwordChangedSubject, paragraphs: [email.passwordChanged], sms: sms.passwordChanged };
    case 'new_sign_in':
      return { subject: email.signInSubject, paragraphs: [email.signIn, email.signInRemedy], sms: sms.signIn };
    default:
      return { subject: account.subject, paragraphs: [account[kind], account.ifNotYou], sms: sms[kind] };
  }
}

/** By the person's own clock, which the mail names. */
const momentOf = (at: Date, language: string, timeZone: string) =>
  new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'long', timeZone }).format(at);

/** Its time begins with the first sending, as that of a code does. Nobody's address is sent nothing. */
async function sendReset(deps: NoticeDeps, id: string): Promise<SendNoticeOutcome> {
  const reset = await passwordReset(deps.db, id);
  if (!reset) return 'superseded';
  const user = await whosePassword(deps, reset);
  if (!user) {
    await deletePasswordReset(deps.db, id);
    return 'superseded';
  }
  const at = deps.now();
  const until = new Date(at.getTime() + resetLifetimeMs);
  if (!(await beginPasswordReset(deps.db, id, { userId: user.id, at, until }))) return 'superseded';
  const wording = wordingFor(user.locale);
  const { email, sms } = wording.words;
  return sendLetter(deps, reset, wording, {
    ...{ id, kind: 'reset', subject: email.resetSubject, paragraphs: [email.reset, email.resetIgnore], sms: sms.reset },
    values: { minutes: resetLifetimeMs / 60_000, link: resetLink(deps, id) },
  });
}

/** Behind a `#`, so that no log of a server and no page behind it sees the token. */
const resetLink = (deps: Pick<Deps, 'publicUrl' | 'mac'>, id: string) =>
  `${deps.publicUrl}/reset-password#${resetTokenOf(deps, id)}`;

/**
 * Whoever has proved the address or number; where nobody has, the first account that names it, if nothing of it was ever
 * proved. One that somebody has proved another address of belongs to them: whoever gets this mail has no part in it.
 */
async function whosePassword(
  { db }: Pick<Deps, 'db'>,
  { channel, target }: PasswordResetRow,
): Promise<UserRow | undefined> {
  const meant = await usersByIdentifier(db, target, unprovedLookedAt);
  return meant.find((user) => {
    const proved = provedContacts(user);
    const theirs = proved.length === 0 || proved.some((each) => each.channel === channel && each.target === target);
    return theirs && user.status === 'active';
  });
}

const unprovedLookedAt = 10;
