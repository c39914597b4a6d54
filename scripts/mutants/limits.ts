import type { Mutant } from './mutant.ts';

/** Guards of how much anybody may ask. */
export const limits: readonly Mutant[] = [
  {
    name: 'a socket spends of the same budget as REST',
    file: 'realtime/on.ts',
    changes: [['spendFor(name, input, socket, options.limits.budgets)', 'void spendFor']],
    test: 'test/limits/limits.test.ts',
    red: 'of sends are one budget of REST and all sockets',
  },
  {
    name: 'a node admits little without asking',
    file: 'platform/limits/budgets.ts',
    changes: [['const overAdmission = 0.05;', 'const overAdmission = 0.5;']],
    test: 'test/limits/limits.test.ts',
    red: 'admit at most 5 % more when two nodes are asked by both doors at the same moment',
  },
  {
    name: 'a node that stops tells what it has admitted',
    file: 'platform/limits/budgets.ts',
    changes: [['await this.#reportAll();\n  }', '}']],
    test: 'test/limits/limits.test.ts',
    red: 'outlive the node that counted',
  },
  {
    name: 'who is refused spends nothing of a conversation',
    file: 'platform/limits/index.ts',
    changes: [
      ['note(spent, price[0], told) ? spent : goOn', 'note(spent, price[0], told) && by === undefined ? spent : goOn'],
      ['if (taken && note(spent, price[0], taken)) return spent;', 'if (taken) note(spent, price[0], taken);'],
    ],
    test: 'test/limits/limits.test.ts',
    red: 'what its writer may not send costs it nothing',
  },
  {
    name: 'a token that is not taken costs its address',
    file: 'api/router.ts',
    changes: [['if (isRefusedToken(error))', 'if (isRefusedToken(error) && request.url.length === 0)']],
    test: 'test/limits/limits.test.ts',
    red: 'let a flood of bad and missing tokens end, and good ones from there go on',
  },
  {
    name: 'signing in is counted by address, too',
    file: 'platform/limits/index.ts',
    changes: [['const who = [networkOf(by.address), ', 'const who = [']],
    test: 'test/limits/limits.test.ts',
    red: 'keep nobody out who signs in elsewhere than where somebody guesses',
  },
  {
    name: 'a household is one address',
    file: 'platform/limits/address.ts',
    changes: [['slice(0, 7)', 'slice(0, 8)']],
    test: 'test/limits/limits.test.ts',
    red: 'count a household’s IPv6 addresses as one',
  },
  {
    name: 'of X-Forwarded-For only what our proxies appended counts',
    file: 'platform/limits/address.ts',
    changes: [['chain[Math.max(0, chain.length - 1 - hops)]', 'chain[0]']],
    test: 'test/limits/limits.test.ts',
    red: 'are of the address that the proxy tells, whatever stands before it',
  },
  {
    name: 'a node that believes a made-up address does not start',
    file: 'roles.ts',
    changes: [["if (found !== 'forged') return found;", 'if (found) return found;']],
    test: 'test/limits/address.test.ts',
    red: 'that believes 1 where there are 0 does not start',
  },
  {
    name: 'a socket that goes on regardless is closed',
    file: 'realtime/limit.ts',
    changes: [['const over = now - since >= excessMs;', 'const over = now < since;']],
    test: 'test/limits/limits.test.ts',
    red: 'close one that goes on for three seconds regardless',
  },
  {
    name: 'without Redis a node admits its share',
    file: 'platform/limits/shared.ts',
    changes: [['Math.floor(points / nodes)', 'points']],
    test: 'test/faults/rate-limits.test.ts',
    red: 'is paused admit on each node its part, and no more',
  },
  {
    name: 'a Redis that does not answer is left alone',
    file: 'platform/limits/breaker.ts',
    changes: [['if (timeouts < patience) return true;', 'if (timeouts >= 0) return true;']],
    test: 'test/faults/rate-limits.test.ts',
    red: 'is paused cost nobody more than the timeout',
  },
  {
    name: 'nobody waits for Redis twice',
    file: 'platform/limits/index.ts',
    changes: [['take(price, by, !spent.waited)', 'take(price, by, true)']],
    test: 'test/faults/rate-limits.test.ts',
    red: 'is paused cost nobody more than the timeout',
  },
];
