import { factorEndpoints } from '../../contracts/rest/index.ts';
import {
  addPasskey,
  answerSecondFactor,
  beginPasskey,
  beginPasskeySignIn,
  beginPasskeyStepUp,
  beginTotp,
  confirmTotp,
  getFactors,
  removePasskey,
  removeTotp,
  renamePasskey,
  renewRecoveryCodes,
  signInWithPasskey,
  stepUp,
} from '../../domain/accounts/index.ts';
import { type Operations, reply } from '../operations.ts';
import type { ApiOptions } from '../options.ts';

/** The ways in by more than a password. */
export function secondFactorRoutes(operations: Operations, { addressOf }: Pick<ApiOptions, 'addressOf'>): void {
  operations.add(factorEndpoints.secondFactor, async ({ deps, body, request }) =>
    reply(200, await answerSecondFactor(deps, body, addressOf(request))),
  );
  operations.add(factorEndpoints.beginPasskeySignIn, async ({ deps }) => reply(200, await beginPasskeySignIn(deps)));
  operations.add(factorEndpoints.signInWithPasskey, async ({ deps, body, request }) =>
    reply(200, await signInWithPasskey(deps, body, addressOf(request))),
  );
}

/** Factors of one's own, and proofs anew. */
export function factorRoutes(operations: Operations): void {
  operations.add(factorEndpoints.stepUp, async ({ deps, actor, body }) => reply(200, await stepUp(deps, actor, body)));
  operations.add(factorEndpoints.beginPasskeyStepUp, async ({ deps, actor }) =>
    reply(200, await beginPasskeyStepUp(deps, actor)),
  );
  operations.add(factorEndpoints.getFactors, async ({ deps, actor }) => reply(200, await getFactors(deps, actor)));
  operations.add(factorEndpoints.beginTotp, async ({ deps, actor }) => reply(200, await beginTotp(deps, actor)));
  operations.add(factorEndpoints.confirmTotp, async ({ deps, actor, body }) =>
    reply(200, { recoveryCodes: await confirmTotp(deps, actor, body.code) }),
  );
  operations.add(factorEndpoints.removeTotp, async ({ deps, actor }) => {
    await removeTotp(deps, actor);
    return reply(204, undefined);
  });
  operations.add(factorEndpoints.renewRecoveryCodes, async ({ deps, actor }) =>
    reply(200, { recoveryCodes: await renewRecoveryCodes(deps, actor) }),
  );
  operations.add(factorEndpoints.beginPasskey, async ({ deps, actor }) => reply(200, await beginPasskey(deps, actor)));
  operations.add(factorEndpoints.addPasskey, async ({ deps, actor, body }) =>
    reply(201, await addPasskey(deps, actor, body)),
  );
  operations.add(factorEndpoints.renamePasskey, async ({ deps, actor, params, body }) =>
    reply(200, await renamePasskey(deps, actor, params.id, body.name)),
  );
  operations.add(factorEndpoints.removePasskey, async ({ deps, actor, params }) => {
    await removePasskey(deps, actor, params.id);
    return reply(204, undefined);
  });
}
