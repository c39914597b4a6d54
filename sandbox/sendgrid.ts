import { type Request, Router } from 'express';
import { type ProviderAnswer, errorOf } from './answers.ts';
import { checkMail } from './mail-limits.ts';
import { type MailBody, shapeMail } from './shapes.ts';
import type { NewItem } from './store.ts';
import { type Group, type List, type Suppression, groups, lists } from './suppressions.ts';
import { type Send, others, sends } from './take.ts';
import type { World } from './world.ts';

/** SendGrid v3: mail, the lists of those who get none, unsubscribe groups, the webhook's key, scopes. */
export function sendGridFace(world: World): Router {
  const router = Router();
  const answer = (work: (request: Request) => ProviderAnswer) =>
    others(world, 'sendgrid', (request) => (isAllowed(request) ? work(request) : errorOf('sendgrid', 'UNAUTHORIZED')));
  router.post(
    '/v3/mail/send',
    sends(world, (request) => sendGridSend(request, world)),
  );
  router.get(
    '/v3/scopes',
    answer(() => ok({ scopes })),
  );
  const signed = () => ok({ public_key: world.webhooks.key.publicKey });
  router.get('/v3/user/webhooks/event/settings/signed', answer(signed));
  router.get('/v3/user/webhooks/event/settings/signed/:id', answer(signed));
  for (const list of lists) listRoutes(router, answer, world, list);
  globalRoutes(router, answer, world);
  groupRoutes(router, answer, world);
  return router;
}

type Answers = (work: (request: Request) => ProviderAnswer) => ReturnType<typeof others>;

const scopes = [
  'mail.send',
  'suppression.read',
  'suppression.delete',
  'asm.groups.read',
  'user.webhooks.event.settings.read',
];
const ok = (body: unknown): ProviderAnswer => ({ status: 200, body });
const gone: ProviderAnswer = { status: 204, body: undefined };
const isAllowed = (request: Request) => request.get('authorization')?.startsWith('Bearer SG.') === true;

function sendGridSend(request: Request, { clock }: World): Send {
  const { body, fault } = shapeMail(request.body);
  const first = body.personalizations?.[0];
  const isTrial = body.mail_settings?.sandbox_mode?.enable === true;
  return {
    provider: 'sendgrid',
    to: first?.to?.[0]?.email ?? '',
    attemptId: first?.custom_args?.attemptId ?? body.custom_args?.attemptId ?? null,
    refusal: isAllowed(request) ? (fault ?? checkMail(body, clock.now())) : errorOf('sendgrid', 'UNAUTHORIZED'),
    items: isTrial ? [] : toItems(body),
    accepted: ([item]) =>
      item ? { status: 202, body: '', headers: { 'x-message-id': item.providerId } } : { status: 200, body: '' },
  };
}

/** One for each person who gets it. */
function toItems(body: MailBody | Partial<MailBody>): NewItem[] {
  const { personalizations = [] } = body;
  return personalizations.flatMap((part) =>
    [...(part.to ?? []), ...(part.cc ?? []), ...(part.bcc ?? [])].map(({ email = '' }) => toItem(body, part, email)),
  );
}

function toItem(body: Partial<MailBody>, part: NonNullable<MailBody['personalizations']>[number], to: string): NewItem {
  const content = (type: string) => body.content?.find((one) => one.type === type)?.value ?? '';
  const customArgs = { ...body.custom_args, ...part.custom_args };
  return {
    channel: 'email',
    provider: 'sendgrid',
    to,
    attemptId: customArgs.attemptId ?? null,
    title: part.subject ?? body.subject ?? '',
    text: content('text/plain'),
    html: content('text/html'),
    headers: { ...body.headers, ...part.headers },
    from: body.from?.email ?? null,
    customArgs,
    ...(body.categories ? { categories: body.categories } : {}),
    ...(body.asm ? { unsubscribeGroup: body.asm.group_id } : {}),
  };
}

/** A list, one address of it, and taking addresses away. */
function listRoutes(router: Router, answer: Answers, { suppressions }: World, list: List): void {
  const path = `/v3/suppression/${list}`;
  router.get(
    path,
    answer(() => ok(suppressions.list(list))),
  );
  router.get(
    `${path}/:email`,
    answer(({ params }) => ok([suppressions.find(list, String(params.email))].filter((found) => found))),
  );
  router.delete(
    `${path}/:email`,
    answer(({ params }) => (suppressions.remove(list, String(params.email)) ? gone : errorOf('sendgrid', 'NOT_FOUND'))),
  );
  router.delete(
    path,
    answer((request) => {
      const wanted = wantedOf(request, suppressions.list(list));
      if (wanted.length === 0) return errorOf('sendgrid', 'BAD_REQUEST');
      for (const email of wanted) suppressions.remove(list, email);
      return gone;
    }),
  );
}

/** The addresses that a body names, or all of them by `delete_all`. */
function wantedOf({ body }: Request, all: readonly Suppression[]): string[] {
  const { delete_all: isAll, emails } = (body ?? {}) as { delete_all?: unknown; emails?: unknown };
  if (isAll === true) return all.map(({ email }) => email);
  return Array.isArray(emails) ? emails.map(String) : [];
}

/** Who wants no mail of any kind. */
function globalRoutes(router: Router, answer: Answers, { suppressions }: World): void {
  const path = '/v3/asm/suppressions/global/:email';
  const email = (request: Request) => String(request.params.email);
  router.get(
    path,
    answer((request) =>
      ok(suppressions.find('unsubscribes', email(request)) ? { recipient_email: email(request) } : {}),
    ),
  );
  router.delete(
    path,
    answer((request) =>
      suppressions.remove('unsubscribes', email(request)) ? gone : errorOf('sendgrid', 'NOT_FOUND'),
    ),
  );
}

/** Who wants no mail of one kind. */
function groupRoutes(router: Router, answer: Answers, { suppressions }: World): void {
  const withCount = (group: Group) => ({ ...group, unsubscribes: suppressions.list(group.id).length });
  const groupOf = ({ params }: Request) => groups.find(({ id }) => String(id) === params.group);
  const inGroup = (work: (group: Group, request: Request) => ProviderAnswer) =>
    answer((request) => {
      const group = groupOf(request);
      return group ? work(group, request) : errorOf('sendgrid', 'NOT_FOUND');
    });
  router.get(
    '/v3/asm/groups',
    answer(() => ok(groups.map(withCount))),
  );
  router.get(
    '/v3/asm/groups/:group',
    inGroup((group) => ok(withCount(group))),
  );
  router.get(
    '/v3/asm/groups/:group/suppressions',
    inGroup(({ id }) => ok(suppressions.list(id).map(({ email }) => email))),
  );
  router.delete(
    '/v3/asm/groups/:group/suppressions/:email',
    inGroup(({ id }, { params }) =>
      suppressions.remove(id, String(params.email)) ? gone : errorOf('sendgrid', 'NOT_FOUND'),
    ),
  );
}
