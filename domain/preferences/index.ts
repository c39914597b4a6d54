import type { NotificationSettings } from '../../contracts/entities/index.ts';
import { AttemptId, type ConversationId, type UserId } from '../../contracts/ids.ts';
import type { PreferencesForm } from '../../contracts/preferences-form.ts';
import { conversationsOfMail } from '../../db/queries/preferences.ts';
import { type UserRow, userById } from '../../db/queries/users.ts';
import { getNotificationSettings, updateNotificationSettings } from '../accounts/index.ts';
import { readPreferencesToken, suppressedOf, unsubscribe, unsubscribeToken } from '../attention/index.ts';
import { updateMyMembership } from '../conversations/index.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { type OwnWords, maskEmail, ownWordsOf } from '../support/index.ts';

/** What the page behind a mail's link shows, to whoever has the link: nothing that the mail itself did not. */
export interface MailPreferences {
  locale: string;
  /** Masked. */
  address: string;
  emailFrequency: NotificationSettings['emailFrequency'];
  emailDigestAt: string;
  weeklySummary: boolean;
  /** Of the mail in which the link stood. */
  conversations: { id: ConversationId; name: string; mail: boolean }[];
  /** No mail comes whatever is chosen; only who signs in lets it come again. */
  unsubscribed: boolean;
}

type PreferencesDeps = Pick<Deps, 'db' | 'mac' | 'now' | 'publishLive'>;

/** Throws `not_found` for a link that is none of ours, or whose reader is gone. */
export async function mailPreferences(deps: PreferencesDeps, token: string): Promise<MailPreferences> {
  const { user, attemptId } = await readerOf(deps, token);
  const { settings } = await getNotificationSettings(deps, { userId: user.id });
  const conversations = await conversationsOf(deps, user.id, attemptId);
  return {
    locale: user.locale,
    address: maskEmail(user.email),
    // Mail that is switched off altogether never comes.
    emailFrequency: settings.channels.email ? settings.emailFrequency : 'off',
    emailDigestAt: settings.emailDigestAt,
    weeklySummary: settings.weeklySummary,
    conversations: conversations.map(({ id, name, email }) => ({ id, name, mail: email ?? true })),
    unsubscribed: (await suppressedOf(deps.db, deps, user)).email === 'unsubscribed',
  };
}

/** Changes what the reader has chosen on the page. Twice is once; a conversation that the mail did not tell of stays as it is. */
export async function changeMailPreferences(
  deps: PreferencesDeps,
  token: string,
  form: PreferencesForm,
): Promise<void> {
  const { user, attemptId } = await readerOf(deps, token);
  const actor = { userId: user.id };
  const { emailFrequency, emailDigestAt } = form;
  await updateNotificationSettings(deps, actor, {
    emailFrequency,
    emailDigestAt,
    weeklySummary: form.weeklySummary === 'on',
    ...(emailFrequency === 'off' ? {} : { channels: { email: true } }),
  });
  for (const { id, email } of await conversationsOf(deps, user.id, attemptId)) {
    const wanted = form.mail.includes(id);
    if (!form.shown.includes(id) || wanted === (email ?? true)) continue;
    await updateMyMembership(deps, actor, id, { channels: { email: wanted ? null : false } });
  }
}

/** No more mails about unread messages to the reader of this link. Twice is once. */
export async function endMails(deps: PreferencesDeps, token: string): Promise<void> {
  const { user } = await readerOf(deps, token);
  await unsubscribe(deps, user.id);
}

/** Why a mail came, for whoever has its link. */
export interface MailWhy {
  locale: string;
  /** Undefined where the records of it are gone. */
  told: OwnWords | undefined;
  /** The link that ends such mails holds this. */
  unsubscribe: string;
}

/** Throws `not_found` as above, and for a link that stood in no mail. */
export async function whyThisMail(deps: PreferencesDeps, token: string): Promise<MailWhy> {
  const { user, attemptId } = await readerOf(deps, token);
  if (!AttemptId.safeParse(attemptId).success) throw notWhole();
  const told = await ownWordsOf(deps, user, attemptId);
  return { locale: user.locale, told, unsubscribe: unsubscribeToken(deps, user.id) };
}

/** The language of whoever a link is about. */
export const localeOf = async ({ db }: Pick<Deps, 'db'>, userId: UserId): Promise<string> =>
  (await userById(db, userId))?.locale ?? 'en';

/** Attempts are kept for a while only: a link of an old mail shows no conversations, and does the rest. */
const conversationsOf = ({ db }: PreferencesDeps, userId: UserId, attemptId: string) =>
  attemptId === 'all' ? Promise.resolve([]) : conversationsOfMail(db, userId, attemptId);

async function readerOf(
  deps: PreferencesDeps,
  token: string,
): Promise<{ user: UserRow & { email: string }; attemptId: string }> {
  const scope = readPreferencesToken(deps, token);
  const user = scope && (await userById(deps.db, scope.userId));
  if (!scope || !user?.email) throw notWhole();
  return { user: { ...user, email: user.email }, attemptId: scope.attemptId };
}

const notWhole = () =>
  new DomainError('not_found', { detail: 'This link is not whole. Copy all of it from the mail.' });
