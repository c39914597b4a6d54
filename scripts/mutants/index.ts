import { access } from './access.ts';
import { accounts } from './accounts.ts';
import { attention } from './attention.ts';
import { client } from './client.ts';
import { egress } from './egress.ts';
import { signInElsewhere } from './elsewhere.ts';
import { secondFactors } from './factors.ts';
import { limits } from './limits.ts';
import { live } from './live.ts';
import { messages } from './messages.ts';
import type { Mutant } from './mutant.ts';
import { secondLine } from './second-line.ts';
import { pages } from './pages.ts';
import { sessions } from './sessions.ts';
import { tokenMutants } from './tokens.ts';

export type { Mutant };

/** The guards that the promises rest on. A change that moves one of them moves its text here too. */
export const mutants: readonly Mutant[] = [
  ...access,
  ...accounts,
  ...attention,
  ...client,
  ...egress,
  ...limits,
  ...live,
  ...messages,
  ...pages,
  ...secondLine,
  ...sessions,
  ...secondFactors,
  ...signInElsewhere,
  ...tokenMutants,
];
