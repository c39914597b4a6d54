import type { Mutant } from './mutant.ts';

const elsewhere = 'test/api/elsewhere.test.ts';
const identities = 'test/api/identities.test.ts';
const routes = 'api/routes/elsewhere.ts';
const domain = 'domain/accounts/elsewhere.ts';

/** Guards of signing in by an account elsewhere. */
export const signInElsewhere: readonly Mutant[] = [
  {
    name: 'elsewhere: an answer is to the state that this browser was given',
    file: routes,
    changes: [[' && query.state === begun.state', '']],
    test: elsewhere,
    red: 'by corp refuses an answer with another state, or none',
  },
  {
    name: 'elsewhere: an answer is of the provider that was asked',
    file: routes,
    changes: [['begun.provider === provider.id && begun.issuer === provider.issuer && ', '']],
    test: elsewhere,
    red: 'takes no answer of one provider for that of another',
  },
  {
    name: 'elsewhere: what was begun ends once',
    file: domain,
    changes: [[' || !(await insertTicket(db, { ...row, expiresAt }, { at, used: true }))', '']],
    test: elsewhere,
    red: 'by corp ends once',
  },
  {
    name: 'elsewhere: the signature of an id token is looked at',
    file: 'api/elsewhere/oidc.ts',
    changes: [['execute: [enableNonRepudiationChecks, ...', 'execute: [...']],
    test: elsewhere,
    red: 'refuses an id token that another key has signed',
  },
  {
    name: 'elsewhere: an issuer names its tenant to the letter',
    file: 'api/elsewhere/oidc.ts',
    changes: [['claims.iss === issuerOfTenant(issuer, claims.tid)', 'claims.iss.includes(String(claims.tid))']],
    test: 'test/api/elsewhere-claims.test.ts',
    red: 'at Microsoft is the tenant and the object',
  },
  {
    name: 'elsewhere: a nonce is asked for',
    file: 'api/elsewhere/oidc.ts',
    changes: [["    params.set('nonce', randomNonce());\n", '']],
    test: elsewhere,
    red: 'asks with a nonce that is another each time',
  },
  {
    name: 'elsewhere: GitHub’s answer names nobody else',
    file: 'api/elsewhere/github.ts',
    changes: [['URL.parse(iss)?.origin === origin', 'URL.parse(iss) !== null']],
    test: elsewhere,
    red: 'by github refuses an answer that says it is of another issuer',
  },
  {
    name: 'elsewhere: GitHub is asked with PKCE',
    file: 'api/elsewhere/github.ts',
    changes: [['pkce: true, ', '']],
    test: elsewhere,
    red: 'by github asks with PKCE',
  },
  {
    name: 'elsewhere: a provider is not waited for without end',
    file: 'api/elsewhere/ask.ts',
    changes: [
      [
        'const late = AbortSignal.timeout(limits.oauthProviderSeconds * 1_000);',
        'const late = AbortSignal.timeout(600_000);',
      ],
    ],
    test: elsewhere,
    red: 'leaves it by the end that who signs in is given',
  },
  {
    name: 'elsewhere: a code works once',
    file: 'db/queries/oauth-tickets.ts',
    changes: [[' and used_at is null', '']],
    test: elsewhere,
    red: 'the code works once',
  },
  {
    name: 'elsewhere: a code asks for the secret of who began',
    file: domain,
    changes: [[' || !answers(verifier, ticket.challenge)', '']],
    test: elsewhere,
    red: 'asks for the secret of the app that began',
  },
  {
    name: 'elsewhere: an account that has proved the address is never taken for theirs',
    file: domain,
    changes: [
      ["  if (email && (await isProvedEmail(tx, email))) throw new DomainError('link_required');\n", ''],
      ["isUniqueViolation(error, 'users_email_key') || ", ''],
    ],
    test: elsewhere,
    red: 'is never linked',
  },
  {
    name: 'elsewhere: an address counts that the provider vouches for',
    file: domain,
    changes: [['const email = proved.emailVerified ? proved.email : null;', 'const { email } = proved;']],
    test: elsewhere,
    red: 'leaves it to them where the provider does not vouch for it',
  },
  {
    name: 'elsewhere: who is suspended is let in by no code',
    file: domain,
    changes: [['    await holdEntrant(tx, owner);\n', '']],
    test: elsewhere,
    red: 'of who is suspended lets nobody in',
  },
  {
    name: 'elsewhere: a browser is sent back to an address that was named',
    file: domain,
    changes: [
      [
        'returnAddresses.find((each) => each === given)',
        'returnAddresses.find((each) => given.startsWith(each)) && given',
      ],
    ],
    test: elsewhere,
    red: 'sends a browser back to addresses that were named',
  },
  {
    name: 'elsewhere: a link is for who began it',
    file: 'domain/accounts/identities.ts',
    changes: [['      if (ticket.userId !== userId) throw signInOver();\n', '']],
    test: identities,
    red: 'are linked to nobody whose browser was lured',
  },
  {
    name: 'elsewhere: the last way in stays',
    file: 'domain/accounts/identities.ts',
    changes: [['    await insistOnWayIn(tx, userId);\n', '']],
    test: identities,
    red: 'are not removed where nothing else would let their person in',
  },
  {
    name: 'elsewhere: the last passkey stays',
    file: 'domain/accounts/passkeys.ts',
    changes: [['    await insistOnWayIn(tx, userId);\n', '']],
    test: identities,
    red: 'leave the last passkey to who has nothing else',
  },
  {
    name: 'elsewhere: what is on its way ends with the identity that it came by',
    file: 'domain/accounts/identities.ts',
    changes: [['    await deleteTickets(tx, userId);\n', '']],
    test: identities,
    red: 'are removed, with what was on its way',
  },
  {
    name: 'elsewhere: accounts elsewhere of who only named an address go with it',
    file: 'domain/accounts/passwords.ts',
    changes: [['  if (!isProvedBy(user, proved)) await deleteIdentities(tx, user.id);\n', '']],
    test: identities,
    red: 'when a mailed link gives the account to who has its address they go where it was only named',
  },
];
