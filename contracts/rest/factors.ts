import { z } from 'zod';
import {
  Factors,
  Instant,
  NewPasskeyAnswer,
  Passkey,
  PasskeyAnswer,
  PasskeyCreation,
  PasskeyName,
  PasskeyRequest,
  RecoveryCodes,
} from '../entities/index.ts';
import { PasskeyId } from '../ids.ts';
import { GivenPassword, SignedIn, deviceName } from './auth.ts';
import { endpoint } from './endpoint.ts';

const TotpCode = z.string().regex(/^\d{6}$/, { message: 'must be six digits' });
/** Dashes and spaces are for the eye. */
const RecoveryCode = z
  .string()
  .max(80)
  .transform((code) => code.replaceAll(/[\s-]/g, '').toLowerCase())
  .pipe(z.string().regex(/^[0-9a-f]{32}$/, { message: 'must be a recovery code as it was shown' }));

const proofs = {
  code: TotpCode.optional().meta({ description: 'Of the authenticator app' }),
  recoveryCode: RecoveryCode.optional(),
  passkey: PasskeyAnswer.optional(),
};
const exactlyOne = (body: object, names: readonly string[]) =>
  Object.entries(body).filter(([name, value]) => names.includes(name) && value !== undefined).length === 1;

export const SecondFactorProof = z
  .strictObject({ challenge: z.string().min(20).max(200), ...proofs })
  .refine((body) => exactlyOne(body, ['code', 'recoveryCode', 'passkey']), {
    message: 'give one of code, recoveryCode and passkey',
    path: ['code'],
  })
  .meta({ id: 'SecondFactorProof' });
export type SecondFactorProof = z.infer<typeof SecondFactorProof>;

export const StepUpProof = z
  .strictObject({
    password: GivenPassword.optional(),
    ...proofs,
  })
  .refine((body) => exactlyOne(body, ['password', 'code', 'recoveryCode', 'passkey']), {
    message: 'give one of password, code, recoveryCode and passkey',
    path: ['password'],
  })
  .meta({ id: 'StepUpProof' });
export type StepUpProof = z.infer<typeof StepUpProof>;

const passkeyParams = z.strictObject({ id: PasskeyId });
const tag = 'Second factors';

export const factorEndpoints = {
  secondFactor: endpoint({
    operationId: 'secondFactor',
    method: 'post',
    path: '/v1/auth/second-factor',
    tag,
    summary: 'Answers the challenge of a sign-in with a code, a recovery code or a passkey, and signs in',
    auth: 'none',
    body: SecondFactorProof,
    success: { 200: SignedIn },
    errors: ['invalid_code', 'invalid_passkey', 'code_expired', 'too_many_attempts', 'invalid_credentials'],
  }),
  beginPasskeySignIn: endpoint({
    operationId: 'beginPasskeySignIn',
    method: 'post',
    path: '/v1/auth/passkey/begin',
    tag,
    summary: 'What a browser asks for a passkey, for a sign-in with nothing else',
    auth: 'none',
    success: { 200: PasskeyRequest },
    errors: [],
  }),
  signInWithPasskey: endpoint({
    operationId: 'signInWithPasskey',
    method: 'post',
    path: '/v1/auth/passkey',
    tag,
    summary: 'Signs in with what the passkey answered; it is both factors',
    auth: 'none',
    body: z.strictObject({ passkey: PasskeyAnswer, deviceName }),
    success: { 200: SignedIn },
    errors: ['invalid_passkey', 'code_expired', 'too_many_attempts', 'invalid_credentials'],
  }),
  beginPasskeyStepUp: endpoint({
    operationId: 'beginPasskeyStepUp',
    method: 'post',
    path: '/v1/auth/step-up/passkey',
    tag,
    summary: 'What a browser asks for a passkey, for `stepUp`',
    auth: 'user',
    success: { 200: PasskeyRequest },
    errors: ['not_found'],
  }),
  stepUp: endpoint({
    operationId: 'stepUp',
    method: 'post',
    path: '/v1/auth/step-up',
    tag,
    summary:
      'Proves anew who I am, for what needs a recent proof: by the password, or by a factor where one is switched on',
    auth: 'user',
    body: StepUpProof,
    success: { 200: z.strictObject({ provedUntil: Instant }) },
    errors: [
      ...(['step_up_required', 'invalid_credentials', 'invalid_code', 'invalid_passkey'] as const),
      ...(['code_expired', 'too_many_attempts'] as const),
    ],
  }),
  getFactors: endpoint({
    operationId: 'getFactors',
    method: 'get',
    path: '/v1/me/factors',
    tag,
    summary: 'What I can prove myself by, beside the password',
    auth: 'user',
    success: { 200: Factors },
    errors: [],
  }),
  beginTotp: endpoint({
    operationId: 'beginTotp',
    method: 'post',
    path: '/v1/me/totp',
    tag,
    summary: 'Makes a secret for an authenticator app, shown this once; its first code switches it on',
    auth: 'user',
    stepUp: true,
    success: {
      200: z.strictObject({
        secret: z.string().meta({ description: 'Base32, to be typed' }),
        uri: z.string().meta({ description: 'otpauth://, to be shown as a QR code' }),
        expiresAt: Instant,
      }),
    },
    errors: ['factor_exists'],
  }),
  confirmTotp: endpoint({
    operationId: 'confirmTotp',
    method: 'post',
    path: '/v1/me/totp/confirm',
    tag,
    summary: 'Switches the app on with its first code; the recovery codes that it answers with are shown this once',
    auth: 'user',
    body: z.strictObject({ code: TotpCode }),
    success: { 200: z.strictObject({ recoveryCodes: RecoveryCodes }) },
    errors: ['invalid_code', 'code_expired', 'factor_exists', 'step_up_required'],
  }),
  removeTotp: endpoint({
    operationId: 'removeTotp',
    method: 'delete',
    path: '/v1/me/totp',
    tag,
    summary: 'Switches the authenticator app off',
    auth: 'user',
    stepUp: true,
    success: { 204: null },
    errors: ['not_found'],
  }),
  renewRecoveryCodes: endpoint({
    operationId: 'renewRecoveryCodes',
    method: 'post',
    path: '/v1/me/recovery-codes',
    tag,
    summary: 'Ten new recovery codes, shown this once; the old ones are worth nothing any more',
    auth: 'user',
    stepUp: true,
    success: { 200: z.strictObject({ recoveryCodes: RecoveryCodes }) },
    errors: ['not_found'],
  }),
  beginPasskey: endpoint({
    operationId: 'beginPasskey',
    method: 'post',
    path: '/v1/me/passkeys/begin',
    tag,
    summary: 'What a browser makes a new passkey from',
    auth: 'user',
    stepUp: true,
    success: { 200: PasskeyCreation },
    errors: ['limit_reached'],
  }),
  addPasskey: endpoint({
    operationId: 'addPasskey',
    method: 'post',
    path: '/v1/me/passkeys',
    tag,
    summary: 'Takes the new passkey; with the first factor come recovery codes, shown this once',
    auth: 'user',
    body: z.strictObject({ name: PasskeyName, passkey: NewPasskeyAnswer }),
    success: { 201: z.strictObject({ passkey: Passkey, recoveryCodes: RecoveryCodes.nullable() }) },
    errors: [
      'invalid_passkey',
      'code_expired',
      'too_many_attempts',
      'factor_exists',
      'limit_reached',
      'step_up_required',
    ],
  }),
  renamePasskey: endpoint({
    operationId: 'renamePasskey',
    method: 'patch',
    path: '/v1/me/passkeys/{id}',
    tag,
    summary: 'Calls a passkey otherwise',
    auth: 'user',
    params: passkeyParams,
    body: z.strictObject({ name: PasskeyName }),
    success: { 200: Passkey },
    errors: ['not_found'],
  }),
  removePasskey: endpoint({
    operationId: 'removePasskey',
    method: 'delete',
    path: '/v1/me/passkeys/{id}',
    tag,
    summary: 'Takes a passkey away: it opens nothing any more',
    auth: 'user',
    stepUp: true,
    params: passkeyParams,
    success: { 204: null },
    errors: ['not_found'],
  }),
};
