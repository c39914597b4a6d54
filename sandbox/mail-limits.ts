import { type ProviderAnswer, errorOf, sendGridError } from './answers.ts';
import type { MailBody } from './shapes.ts';

const limits = {
  personalizations: 1_000,
  /** Of all kinds, in all personalizations. */
  recipients: 1_000,
  /** Bytes, as JSON. */
  customArgs: 10_000,
  /** Bytes, as JSON. */
  substitutions: 10_000,
  categories: 10,
  categoryCharacters: 255,
  groupsToDisplay: 25,
  /** Seconds from now to `send_at`: 72 hours. */
  sendAhead: 259_200,
};

/** Headers that the sender may not set. */
const reservedHeaders = new Set([
  ...['x-sg-id', 'x-sg-eid', 'received', 'dkim-signature', 'content-type', 'content-transfer-encoding'],
  ...['to', 'from', 'subject', 'reply-to', 'cc', 'bcc'],
]);

type Part = NonNullable<MailBody['personalizations']>[number];
type Fault = ProviderAnswer | undefined;
const fault = (message: string, field: string) => sendGridError(400, message, field);
const isAddress = (email: string | undefined) => /^[^\s@]+@[^\s@]+$/.test(email ?? '');
const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value ?? {}));

/** What SendGrid documents that it refuses, in its words where they are documented. */
export function checkMail(body: MailBody | Partial<MailBody>, now: number): Fault {
  const { personalizations = [] } = body;
  const checks = [
    () => checkPersonalizations(personalizations),
    () => checkSender(body),
    () => checkContent(body),
    () => checkHeaders(body),
    () => checkExtras(body, now / 1_000),
  ];
  for (const check of checks) {
    const found = check();
    if (found) return found;
  }
  return undefined;
}

function checkPersonalizations(parts: readonly Part[]): Fault {
  const field = 'personalizations';
  if (parts.length === 0)
    return fault('The personalizations field is required and must have at least one personalization.', field);
  if (parts.length > limits.personalizations)
    return fault(
      `The personalization block is limited to ${limits.personalizations} personalizations per API request. You have provided ${parts.length} personalizations. Please consider splitting this into multiple requests and resending your request.`,
      field,
    );
  return parts.map(checkPart).find((found) => found) ?? checkRecipients(parts);
}

function checkPart({ to = [], cc = [], bcc = [], substitutions }: Part, index: number): Fault {
  const field = `personalizations.${index}`;
  if (to.length === 0)
    return fault(
      'The to array is required for all personalization objects, and must have at least one email object with a valid email address.',
      `${field}.to`,
    );
  for (const [name, list] of Object.entries({ to, cc, bcc })) {
    const wrong = list.findIndex(({ email }) => !isAddress(email));
    if (wrong >= 0) return fault('Does not contain a valid address.', `${field}.${name}.${wrong}.email`);
  }
  if (bytes(substitutions) > limits.substitutions)
    return fault('The substitutions object may not exceed 10000 bytes.', `${field}.substitutions`);
  return undefined;
}

function checkRecipients(parts: readonly Part[]): Fault {
  const emails = parts
    .flatMap(({ to = [], cc = [], bcc = [] }) => [...to, ...cc, ...bcc])
    .map(({ email = '' }) => email.toLowerCase());
  if (emails.length > limits.recipients)
    return fault('There is a limit of 1000 total recipients (to + cc + bcc) per request.', 'personalizations');
  const twice = emails.find((email, index) => emails.indexOf(email) < index);
  return twice === undefined
    ? undefined
    : fault(
        `Each unique email address in the personalizations array should only be included once. You have included [${twice}] more than once.`,
        'personalizations',
      );
}

function checkSender({ from, subject, template_id: template, personalizations = [] }: Partial<MailBody>): Fault {
  if (!from)
    return fault(
      'The from object must be provided for every email send. It is an object that requires the email parameter, but may also contain a name parameter.',
      'from',
    );
  if (!isAddress(from.email)) return fault('The from email does not contain a valid address.', 'from.email');
  if (!template && !subject && personalizations.some((part) => !part.subject))
    return fault(
      'The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined.',
      'subject',
    );
  return undefined;
}

function checkContent({ content = [], template_id: template }: Partial<MailBody>): Fault {
  if (content.length === 0)
    return template
      ? undefined
      : fault(
          'Unless a valid template_id is provided, the content parameter is required. There must be at least one defined content block.',
          'content',
        );
  const empty = content.findIndex(({ value }) => !value);
  if (empty >= 0)
    return fault('The content value must be a string at least one character in length.', `content.${empty}.value`);
  const untyped = content.findIndex(({ type }) => !type);
  if (untyped >= 0) return fault('The content type is required.', `content.${untyped}.type`);
  const types = content.map(({ type }) => type);
  if (types.indexOf('text/plain') > 0)
    return fault(
      'If present, text/plain must be first, followed by text/html, followed by any other content.',
      'content',
    );
  return undefined;
}

function checkHeaders({ headers = {}, personalizations = [] }: Partial<MailBody>): Fault {
  const found = [...Object.keys(headers), ...personalizations.flatMap((part) => Object.keys(part.headers ?? {}))];
  const reserved = found.find((name) => reservedHeaders.has(name.toLowerCase()));
  return reserved === undefined
    ? undefined
    : fault(`The ${reserved} header is reserved and can not be set.`, `headers.${reserved}`);
}

function checkExtras(body: Partial<MailBody>, nowSeconds: number): Fault {
  const { custom_args: args, personalizations = [], categories = [], asm } = body;
  if (personalizations.some((part) => bytes({ ...args, ...part.custom_args }) > limits.customArgs))
    return fault('The custom_args may not exceed 10000 bytes.', 'custom_args');
  if (categories.length > limits.categories)
    return fault('You may not have more than 10 categories per request.', 'categories');
  if (categories.some((category) => category.length > limits.categoryCharacters))
    return fault('A category may not exceed 255 characters.', 'categories');
  if ((asm?.groups_to_display?.length ?? 0) > limits.groupsToDisplay)
    return fault('You may not have more than 25 groups to display.', 'asm.groups_to_display');
  const times = [body.send_at, ...personalizations.map((part) => part.send_at)];
  return times.some((at) => at !== undefined && at - nowSeconds > limits.sendAhead)
    ? fault('Scheduling more than 72 hours in advance is forbidden.', 'send_at')
    : undefined;
}

/** A body that is larger than SendGrid takes. */
export const tooLarge = errorOf('sendgrid', 'PAYLOAD_TOO_LARGE');
