import type { Mutant } from './mutant.ts';

const factors = 'test/api/second-factors.test.ts';
const stepUp = 'test/api/step-up.test.ts';
const begun = 'test/api/begun.test.ts';
const beside = 'test/api/passwords-beside-factors.test.ts';
const voided = 'test/api/voided-proofs.test.ts';
const suspension = 'test/api/suspension.test.ts';
const passwords = 'domain/accounts/passwords.ts';
const passkeys = 'test/api/passkeys.test.ts';

/** Guards of how people prove who they are. */
export const secondFactors: readonly Mutant[] = [
  {
    name: 'a code of an app works once',
    file: 'db/queries/totp.ts',
    changes: [[' and last_step < $2', '']],
    test: factors,
    red: 'of fifty who show one code at once lets one in',
  },
  {
    name: 'a recovery code works once',
    file: 'db/queries/recovery-codes.ts',
    changes: [[' and used_at is null', '']],
    test: factors,
    red: 'of ten who show it at once lets one in',
  },
  {
    name: 'guesses at a challenge are counted',
    file: 'db/queries/challenges.ts',
    changes: [[' and tries < $5', ' and (tries < $5 or true)']],
    test: factors,
    red: 'judges five of fifty guesses that come at once',
  },
  {
    name: 'a proof by the password counts for nothing beside a factor',
    file: 'db/queries/sessions.ts',
    changes: [['`(proved_by_factor or not', '`(true or proved_by_factor or not']],
    test: stepUp,
    red: 'counts for nothing in other sessions from then on, and the one that did so stays proved',
  },
  {
    name: 'what was proved before there was a factor counts no more once it is gone',
    file: 'domain/accounts/totp.ts',
    changes: [['    await voidProofs(tx, actor);\n', '']],
    test: stepUp,
    red: 'comes back with no factor that is taken away',
  },
  {
    name: 'what was begun by a proof that is void is not finished',
    file: 'domain/access/proof.ts',
    changes: [['  if (!proved) throw await refusalOf(tx, actor);\n', '']],
    test: begun,
    red: 'an authenticator app is not finished after the password is changed',
  },
  {
    name: 'what was begun is finished in the same session',
    file: 'domain/access/proof.ts',
    changes: [['  if (begunBy !== actor.sessionId) throw over();\n', '']],
    test: begun,
    red: 'another address is not finished in another session either',
  },
  {
    name: 'another address is finished by the proof that it was begun by',
    file: 'domain/accounts/contacts.ts',
    changes: [['      if (request.begunBy) await requireOwnBeginning(tx, actor, request.begunBy, codeOver);\n', '']],
    test: begun,
    red: 'another address is not finished after a first factor is an app',
  },
  {
    name: 'a link is finished by the proof that it was begun by',
    file: 'domain/accounts/identities.ts',
    changes: [['      await requireOwnBeginning(tx, actor, ticket.begunBy, signInOver);\n', '']],
    test: begun,
    red: 'a link, whose browser is at the provider is not finished after the password is changed',
  },
  {
    name: 'a passkey is finished by the proof that it was begun by',
    file: 'domain/accounts/passkeys.ts',
    changes: [['      await requireOwnBeginning(tx, actor, asked.begunBy, challengeOver);\n', '']],
    test: begun,
    red: 'a passkey is not finished after a first factor is an app',
  },
  {
    name: 'an app is finished by the proof that it was begun by',
    file: 'domain/accounts/totp.ts',
    changes: [['    await requireOwnBeginning(tx, actor, begun.begunBy, nothingBegun);\n', '']],
    test: begun,
    red: 'an authenticator app is not finished after a first factor is a passkey',
  },
  {
    name: 'whoever ends a session waits for what is being finished in it, or came first',
    file: 'db/queries/sessions.ts',
    changes: [['and expires_at > now() for share`', 'and expires_at > now()`']],
    test: begun,
    red: 'an authenticator app is not finished behind it: it is signed out',
  },
  {
    name: 'what was proved counts no more once a factor is gone',
    file: 'domain/accounts/passkeys.ts',
    changes: [['    await voidProofs(tx, actor);\n', '']],
    test: begun,
    red: 'an authenticator app is not finished after a factor is removed',
  },
  {
    name: 'what was proved counts no more once an account elsewhere is gone',
    file: 'domain/accounts/identities.ts',
    changes: [['    await voidProofs(tx, actor);\n', '']],
    test: begun,
    red: 'an authenticator app is not finished after an account elsewhere is removed',
  },
  {
    name: 'a proof by the former password counts for nothing',
    file: passwords,
    changes: [['    await voidProofs(tx, actor);\n', '']],
    test: stepUp,
    red: 'counts for nothing in other sessions, and the one that changed it stays proved',
  },
  {
    name: 'who guesses in one session keeps nobody out of another',
    file: 'contracts/rate-limits.ts',
    changes: [["proofs: { key: 'session'", "proofs: { key: 'person'"]],
    test: 'test/limits/limits.test.ts',
    red: 'of proofs are of a session, and ten times as many of all sessions of a person',
  },
  {
    name: 'a challenge is answered once',
    file: 'domain/accounts/challenges.ts',
    changes: [
      ['if (!(await endChallenge(tx, tokenHash))) throw challengeOver();', 'await endChallenge(tx, tokenHash);'],
    ],
    test: factors,
    red: 'answers a challenge once',
  },
  {
    name: 'an encrypted secret opens for its owner alone',
    file: 'platform/sealing.ts',
    changes: [
      ['Buffer.from(`${keyId} ${owner}`)', 'Buffer.from(keyId)'],
      ['Buffer.from(`${kid} ${owner}`)', 'Buffer.from(kid)'],
    ],
    test: factors,
    red: 'that was copied into the row of somebody else opens nothing for them',
  },
  {
    name: 'a proof grows old',
    file: 'db/queries/sessions.ts',
    changes: [[' and proved_at > $3', ' and (proved_at > $3 or true)']],
    test: stepUp,
    red: 'is not reached by renewing the tokens',
  },
  {
    name: 'every door asks for a proof',
    file: 'api/operations.ts',
    changes: [['    await this.#guards.requireProof(actor);\n', '']],
    test: stepUp,
    red: 'is a matter of the session: a proof in one is none in another',
  },
  {
    name: 'the password is no proof of who has a factor',
    file: 'domain/accounts/step-up.ts',
    changes: [['if (hasFactor(factors)) throw notProved(factors);', '']],
    test: stepUp,
    red: 'takes the factor and not the password of who has one',
  },
  {
    name: 'tries to prove are counted',
    file: 'db/queries/sessions.ts',
    changes: [[' or proof_tries < $4)', ' or (proof_tries < $4 or true))']],
    test: stepUp,
    red: 'counts guesses that come at once before it judges them',
  },
  {
    name: 'a passkey counts on',
    file: 'db/queries/passkeys.ts',
    changes: [[' and (counter < $3 or (counter = 0 and $3 = 0))', '']],
    test: passkeys,
    red: 'of two answers with one counter at once takes one',
  },
  {
    name: 'a passkey signs in whom it names',
    file: 'domain/accounts/passkeys.ts',
    changes: [
      [
        'if (!known || passkey.response.userHandle !== handleOf(known.userId)) throw notRight();',
        'if (!known) throw notRight();',
      ],
    ],
    test: passkeys,
    red: 'that names somebody else',
  },
  {
    name: 'a new password by mail takes the factors of who only named the address',
    file: passwords,
    changes: [['if (!isProvedBy(user, proved)) await deleteFactors(tx, user.id);', '']],
    test: beside,
    red: 'goes without the factors of who only named the address',
  },
  {
    name: 'a new password by mail takes no factor away',
    file: passwords,
    changes: [['if (!isProvedBy(user, proved)) await deleteFactors', 'await deleteFactors']],
    test: beside,
    red: 'by mail signs nobody in past a factor, and takes none away',
  },
  {
    name: 'a challenge does not outlive its password',
    file: passwords,
    changes: [['  await deleteChallenges(tx, user.id);\n', '']],
    test: beside,
    red: 'by mail signs nobody in past a factor, and takes none away',
  },
  {
    name: 'who has a factor proves it to change the password',
    file: passwords,
    changes: [['  if (secondFactor) await requireProof(deps, actor);\n', '']],
    test: beside,
    red: 'needs a fresh proof by the factor, beside the old one',
  },
  {
    name: 'factors: sessions end with factors that support takes away',
    file: 'domain/accounts/lost-factors.ts',
    changes: [["await revokeSessions(tx, userId, { allBut: null }, 'factors_removed')", '[]']],
    test: 'test/api/lost-factors.test.ts',
    red: 'by REST who then signs in by the password alone, and is signed in nowhere else',
  },
  {
    name: 'factors: what was on its way ends with factors that support takes away',
    file: 'domain/accounts/lost-factors.ts',
    changes: [
      ['[deleteChallenges, deleteTickets, deletePasswordResets, deleteVerifications]', '[deletePasswordResets]'],
    ],
    test: 'test/api/lost-factors.test.ts',
    red: 'by REST and whatever was on its way opens nothing',
  },
  {
    name: 'factors: nobody frees themselves of theirs as an admin',
    file: 'domain/support/people.ts',
    changes: [["if ('userId' in by && by.userId === userId) throw notOneself();", '']],
    test: 'test/api/lost-factors.test.ts',
    red: 'by REST nor to themselves, which the last admin is; at the command line it can be done',
  },
  {
    name: 'an ended session does nothing that needs a proof',
    file: 'domain/access/proof.ts',
    changes: [
      [
        "  if (!session) throw new DomainError('session_revoked');\n  return session;",
        '  return session ?? { proved: true };',
      ],
    ],
    test: voided,
    red: 'its session is ended and renewRecoveryCodes is refused behind it',
  },
  {
    name: 'what needs a proof waits for who voids it',
    file: 'domain/access/proof.ts',
    changes: [['  await lockFactors(tx, actor.userId);\n', '']],
    test: voided,
    red: 'a first factor is switched on and removeTotp is refused behind it',
  },
  {
    name: 'the proof is asked for again: an app is begun',
    file: 'domain/accounts/totp.ts',
    changes: [['    await holdProof(tx, actor);\n    if (!(await putTotp(', '    if (!(await putTotp(']],
    test: voided,
    red: 'the password is changed and beginTotp is refused behind it',
  },
  {
    name: 'the proof is asked for again: an app is removed',
    file: 'domain/accounts/totp.ts',
    changes: [['    await holdProof(tx, actor);\n    if (!(await deleteTotp(', '    if (!(await deleteTotp(']],
    test: voided,
    red: 'the password is changed and removeTotp is refused behind it',
  },
  {
    name: 'the proof is asked for again: recovery codes',
    file: 'domain/accounts/recovery-codes.ts',
    changes: [['    await holdProof(tx, actor);\n    if (!hasFactor(', '    if (!hasFactor(']],
    test: voided,
    red: 'the password is changed and renewRecoveryCodes is refused behind it',
  },
  {
    name: 'the proof is asked for again: a passkey is begun',
    file: 'domain/accounts/passkeys.ts',
    changes: [
      [
        '    await holdProof(tx, actor);\n    return { value: await openChallenge(',
        '    return { value: await openChallenge(',
      ],
    ],
    test: voided,
    red: 'the password is changed and beginPasskey is refused behind it',
  },
  {
    name: 'the proof is asked for again: a passkey is removed',
    file: 'domain/accounts/passkeys.ts',
    changes: [
      ['    await holdProof(tx, actor);\n    if (!(await deletePasskeyRow(', '    if (!(await deletePasskeyRow('],
    ],
    test: voided,
    red: 'the password is changed and removePasskey is refused behind it',
  },
  {
    name: 'the proof is asked for again: a link is begun',
    file: 'domain/accounts/identities.ts',
    changes: [
      [
        '    await holdProof(tx, actor);\n    return { value: await giveTicket(',
        '    return { value: await giveTicket(',
      ],
    ],
    test: voided,
    red: 'the password is changed and beginIdentity is refused behind it',
  },
  {
    name: 'the proof is asked for again: an account elsewhere is removed',
    file: 'domain/accounts/identities.ts',
    changes: [['    await holdProof(tx, actor);\n    if (!(await deleteIdentity(', '    if (!(await deleteIdentity(']],
    test: voided,
    red: 'the password is changed and removeIdentity is refused behind it',
  },
  {
    name: 'the proof is asked for again: another contact',
    file: 'domain/accounts/contacts.ts',
    changes: [['    await holdProof(tx, actor);\n    await insistOn(', '    await insistOn(']],
    test: voided,
    red: 'the password is changed and setEmail is refused behind it',
  },
  {
    name: 'the proof is asked for again: sessions are ended',
    file: 'domain/accounts/sessions.ts',
    changes: [['    await holdProof(tx, actor);\n    const sessionIds =', '    const sessionIds =']],
    test: voided,
    red: 'the password is changed and revokeSession is refused behind it',
  },
  {
    name: 'the proof is asked for again: tokens and bots',
    file: 'domain/accounts/access-tokens.ts',
    changes: [['  await requireStandingProof(tx, actor);\n', '']],
    test: voided,
    red: 'the password is changed and createBotToken is refused behind it',
  },
  {
    name: 'the proof is asked for again: an owner',
    file: 'domain/conversations/members.ts',
    changes: [['  await holdProof(tx, actor);\n', '']],
    test: voided,
    red: 'the password is changed and transferOwnership is refused behind it',
  },
  {
    name: 'the proof is asked for again: an admin acts',
    file: 'domain/support/people.ts',
    changes: [['  await holdProof(tx, by);\n', '']],
    test: voided,
    red: 'the password is changed and suspendUser is refused behind it',
  },
  {
    name: 'a password is changed by it alone only while there is no factor',
    file: 'domain/accounts/passwords.ts',
    changes: [
      [
        '  await (secondFactor ? requireStandingProof : requireOpenSession)(tx, actor);\n',
        '  await requireOpenSession(tx, actor);\n',
      ],
      ['  if (secondFactor !== judgedWithFactor)', '  if (!secondFactor && judgedWithFactor)'],
    ],
    test: voided,
    red: 'by the former one alone behind a first factor',
  },
  {
    name: 'a password that is short stands beside a factor alone',
    file: 'domain/accounts/passwords.ts',
    changes: [["  if (secondFactor !== judgedWithFactor) throw new DomainError('conflict');\n", '']],
    test: voided,
    red: 'to one that was judged beside a factor, behind the end of that',
  },
  {
    name: 'an entry of the audit is written last: an app is switched on',
    file: 'domain/accounts/totp.ts',
    changes: [
      [
        "    const codes = await giveRecoveryCodes(tx, actor.userId);\n    await tellOfFactor(tx, deps, actor.userId, 'totp_added');\n",
        "    await tellOfFactor(tx, deps, actor.userId, 'totp_added');\n    const codes = await giveRecoveryCodes(tx, actor.userId);\n",
      ],
    ],
    test: voided,
    red: 'whoever is held by the chain of the audit has nothing more to do',
  },
  {
    name: 'a sign-in by a second factor holds its person',
    file: 'domain/accounts/second-factor.ts',
    changes: [['    await holdEntrant(tx, userId);\n', '']],
    test: suspension,
    red: 'has no session by a recovery code, where that came first',
  },
  {
    name: 'a sign-in by a passkey holds its person',
    file: 'domain/accounts/passkeys.ts',
    changes: [['    await holdEntrant(tx, known.userId);\n', '']],
    test: suspension,
    red: 'has no session by a passkey, where that came first',
  },
];
