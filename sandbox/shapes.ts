import { z } from 'zod';
import { type ProviderAnswer, fcmError, sendGridError } from './answers.ts';

/** A body as far as its shape is right, or the provider's own answer to one whose shape is not. */
export type Shaped<Body> = { body: Body; fault?: undefined } | { body: Partial<Body>; fault: ProviderAnswer };

// In protobuf's JSON, null is as good as nothing.
const orNothing = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? undefined);
const text = orNothing(z.string());
const alert = orNothing(z.object({ title: text, body: text }));
const android = orNothing(z.object({ ttl: text, collapseKey: text, notification: alert }));
const FcmMessage = z.strictObject({
  name: text,
  token: text,
  fid: text,
  topic: text,
  condition: text,
  data: orNothing(z.record(z.string(), z.unknown())),
  notification: alert,
  android,
  webpush: z.unknown().optional(),
  fcmOptions: z.unknown().optional(),
  apns: orNothing(
    z.object({
      headers: orNothing(z.record(z.string(), z.string())),
      // Free-form for Google; what we show of it we show when it is what Apple asks for.
      payload: orNothing(
        z.object({
          aps: orNothing(
            z.object({
              alert,
              badge: orNothing(z.number()),
              'thread-id': text,
              sound: text,
              'interruption-level': text,
            }),
          ),
        }),
      ),
    }),
  ),
});
const FcmBody = z.strictObject({ message: orNothing(FcmMessage), validateOnly: orNothing(z.boolean()) });
export type FcmBody = z.infer<typeof FcmBody>;
export type FcmMessage = Partial<z.infer<typeof FcmMessage>>;

const texts = z.record(z.string(), z.string()).optional();
const address = z.object({ email: z.string().optional(), name: z.string().optional() });
const addresses = z.array(address).optional();
const MailBody = z.object({
  personalizations: z
    .array(
      z.object({
        to: addresses,
        cc: addresses,
        bcc: addresses,
        subject: z.string().optional(),
        headers: texts,
        substitutions: texts,
        custom_args: texts,
        send_at: z.int().optional(),
      }),
    )
    .optional(),
  from: address.optional(),
  reply_to: address.optional(),
  subject: z.string().optional(),
  content: z.array(z.object({ type: z.string().optional(), value: z.string().optional() })).optional(),
  template_id: z.string().optional(),
  headers: texts,
  custom_args: texts,
  categories: z.array(z.string()).optional(),
  send_at: z.int().optional(),
  asm: z.object({ group_id: z.int(), groups_to_display: z.array(z.int()).optional() }).optional(),
  mail_settings: z.object({ sandbox_mode: z.object({ enable: z.boolean().optional() }).optional() }).optional(),
});
export type MailBody = z.infer<typeof MailBody>;

/** A push as FCM reads it. */
export function shapeFcm(given: unknown): Shaped<FcmBody> {
  return shape(FcmBody, camelKeys(given), (field, expected, value, unknown) => {
    if (unknown !== undefined) return unknownName(field, unknown);
    const type = expected === 'string' ? ' (TYPE_STRING)' : '';
    const message = `Invalid value at '${field}'${type}, ${JSON.stringify(value)}`;
    return fcmError(400, 'INVALID_ARGUMENT', message, undefined, field);
  });
}

function unknownName(field: string, name: string): ProviderAnswer {
  const where = field ? ` at '${field}'` : '';
  const message = `Invalid JSON payload received. Unknown name "${name}"${where}: Cannot find field.`;
  return fcmError(400, 'INVALID_ARGUMENT', message, undefined, field);
}

/** Protobuf's JSON takes both spellings of its own names. Those within data, headers and payloads are the sender's. */
function camelKeys(given: unknown, depth = 0): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given) || depth > 2) return given;
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [
      key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      ['data', 'headers', 'payload'].includes(key) ? value : camelKeys(value, depth + 1),
    ]),
  );
}

/** A mail as SendGrid reads it. */
export function shapeMail(given: unknown): Shaped<MailBody> {
  return shape(MailBody, given, (field, expected, value) =>
    sendGridError(400, `Invalid type. Expected: ${expected}, given: ${typeName(value)}.`, field),
  );
}

function shape<Body>(
  schema: z.ZodType<Body>,
  given: unknown,
  refuse: (field: string, expected: string, value: unknown, unknownKey?: string) => ProviderAnswer,
): Shaped<Body> {
  const { data, error } = schema.safeParse(given ?? {});
  const issue = error?.issues[0];
  if (!issue) return { body: data as Body };
  const expected = 'expected' in issue ? String(issue.expected).replace('record', 'object') : 'object';
  const value = issue.path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)[key], given);
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  return { body: {}, fault: refuse(issue.path.join('.'), expected, value, unknownKey) };
}

/** As JSON Schema names it. */
function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

/** The fields of a form. One that comes twice, or is no text, is not there: none of Twilio's may be. */
export function formOf(given: unknown): Record<string, string> {
  const fields = Object.entries((given ?? {}) as Record<string, unknown>);
  return Object.fromEntries(fields.filter((field): field is [string, string] => typeof field[1] === 'string'));
}
