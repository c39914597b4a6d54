import { z } from 'zod';
import { type ProviderAnswer, fcmError, sendGridError } from './answers.ts';

/** A body as far as its shape is right, or the provider's own answer to one whose shape is not. */
export type Shaped<Body> = { body: Body; fault?: undefined } | { body: Partial<Body>; fault: ProviderAnswer };

// In protobuf's JSON, null is as good as nothing.
const orNothing = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? undefined);
const text = orNothing(z.string());
const alert = orNothing(z.object({ title: text, body: text }));
const FcmBody = z.object({
  message: orNothing(
    z.object({
      token: text,
      data: orNothing(z.record(z.string(), z.unknown())),
      notification: alert,
      apns: orNothing(
        z.object({
          headers: orNothing(z.record(z.string(), z.string())),
          // Free-form for Google; what we show of it we show when it is what Apple asks for.
          payload: orNothing(z.object({ aps: orNothing(z.object({ alert, badge: orNothing(z.number()) })) })),
        }),
      ),
    }),
  ),
});
export type FcmBody = z.infer<typeof FcmBody>;

const texts = z.record(z.string(), z.string()).optional();
const address = z.object({ email: z.string().optional() });
const MailBody = z.object({
  personalizations: z
    .array(
      z.object({
        to: z.array(address).optional(),
        subject: z.string().optional(),
        headers: texts,
        custom_args: texts,
      }),
    )
    .optional(),
  from: address.optional(),
  subject: z.string().optional(),
  content: z.array(z.object({ type: z.string().optional(), value: z.string().optional() })).optional(),
  headers: texts,
  custom_args: texts,
});
export type MailBody = z.infer<typeof MailBody>;

/** A push as FCM reads it. */
export function shapeFcm(given: unknown): Shaped<FcmBody> {
  return shape(FcmBody, given, (field, expected, value) => {
    const type = expected === 'string' ? ' (TYPE_STRING)' : '';
    const message = `Invalid value at '${field}'${type}, ${JSON.stringify(value)}`;
    return fcmError(400, 'INVALID_ARGUMENT', message, undefined, field);
  });
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
  refuse: (field: string, expected: string, value: unknown) => ProviderAnswer,
): Shaped<Body> {
  const { data, error } = schema.safeParse(given ?? {});
  const issue = error?.issues[0];
  if (!issue) return { body: data as Body };
  const expected = 'expected' in issue ? String(issue.expected).replace('record', 'object') : 'object';
  const value = issue.path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)[key], given);
  return { body: {}, fault: refuse(issue.path.join('.'), expected, value) };
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
