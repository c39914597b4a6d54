import assert from 'node:assert/strict';
import { identityOf } from '../../api/elsewhere/oidc.ts';
import type { OidcProvider } from '../../domain/deps.ts';

const common = { name: 'x', clientId: 'x', clientSecret: 'x', scope: 'openid' };
const oidc: OidcProvider = { ...common, id: 'corp', type: 'oidc', issuer: 'https://id.example', trustsEmail: true };
const microsoft = 'https://login.microsoftonline.com';
const entra: OidcProvider = {
  ...oidc,
  ...{ id: 'microsoft', type: 'entra', issuer: `${microsoft}/organizations/v2.0`, trustsEmail: false },
};
const claims = { iss: 'https://id.example', sub: 'abc', email: 'Ana@Example.test', email_verified: true, name: 'Ana' };

describe('whom the claims of a provider name', () => {
  it('is the issuer and the subject, with the address that it vouches for', () => {
    assert.deepEqual(identityOf(oidc, claims), {
      ...{ provider: 'corp', issuer: 'https://id.example', subject: 'abc' },
      ...{ email: 'ana@example.test', emailVerified: true, displayName: 'Ana', locale: null },
    });
  });

  it('has no proved address where it is not said in so many words, or is not trusted', () => {
    const verified = (more: object, provider = oidc) => identityOf(provider, { ...claims, ...more }).emailVerified;
    assert.equal(verified({ email_verified: 'true' }), true);
    for (const word of [undefined, false, 'false', 1, 'yes', {}])
      assert.equal(verified({ email_verified: word }), false);
    for (const email of [undefined, '', 'none', 42]) assert.equal(verified({ email }), false);
    assert.equal(verified({}, { ...oidc, trustsEmail: false }), false);
  });

  it('at Microsoft is the tenant and the object; the address is what somebody wrote there', () => {
    const tenant = '11111111-2222-3333-4444-555555555555';
    const theirs = { ...claims, iss: `${microsoft}/${tenant}/v2.0`, tid: tenant, oid: 'object-1' };
    const { issuer, subject, emailVerified } = identityOf(entra, theirs);
    assert.deepEqual([issuer, subject, emailVerified], [theirs.iss, 'object-1', false]);
    const wrongs = [
      ...[{ oid: undefined }, { oid: '' }, { tid: undefined }, { tid: 'another' }],
      // What stands in the issuer somewhere is not yet its tenant.
      ...['', '/', 'v2.0', 'login', tenant.slice(1), tenant.replace('1', '2'), `${tenant}/v2.0`].map((tid) => ({
        tid,
      })),
      ...[`${microsoft}/x/${tenant}/v2.0`, `${microsoft}/${tenant}`, `https://other.example/${tenant}/v2.0`].map(
        (iss) => ({ iss }),
      ),
      { iss: `${microsoft}//v2.0`, tid: '' },
    ];
    for (const wrong of wrongs)
      assert.throws(
        () => identityOf(entra, { ...theirs, ...wrong }),
        { code: 'invalid_identity' },
        JSON.stringify(wrong),
      );
  });

  it('is nobody without a subject', () => {
    assert.throws(() => identityOf(oidc, { ...claims, sub: '' }), { code: 'invalid_identity' });
  });
});
