import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envExample } from '../../platform/env-example.ts';
import { rateLimits } from '../../contracts/rate-limits.ts';
import { ConfigError, readConfig, settings } from '../../platform/config.ts';
import { duration, standardCaps, standardLadder, standardRates } from '../../platform/config-types.ts';
import { developmentSecrets } from '../../platform/dev-secrets.ts';

const secrets = developmentSecrets();
const complete: NodeJS.ProcessEnv = {
  ...secrets,
  HOMING_ARGON2_MEMORY: '64',
  HOMING_PUBLIC_URL: 'https://chat.example.com',
  HOMING_EMAIL_FROM: 'homing@example.com',
  DATABASE_URL: 'postgres://homing_app:pw-in-url@db/homing?sslmode=verify-full',
  REDIS_URL: 'rediss://redis:6379',
  TEMPORAL_ADDRESS: 'temporal:7233',
  TEMPORAL_TLS: 'true',
};
const faultsOf = (env: NodeJS.ProcessEnv): readonly string[] => {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.faults;
  }
};

describe('the configuration', () => {
  it('is production unless told otherwise, with every setting read', () => {
    const config = readConfig(complete);
    assert.equal(config.NODE_ENV, 'production');
    assert.equal(config.PORT, 4000);
    assert.deepEqual(config.HOMING_LADDER, standardLadder);
    assert.ok(Object.isFrozen(config));
  });

  it('takes addresses with a slash at their end, and puts paths behind them without two', () => {
    const config = readConfig({
      ...complete,
      HOMING_PUBLIC_URL: 'https://chat.example.com/',
      HOMING_ALLOWED_ORIGINS: 'https://web.example.com/,https://app.example.com',
      HOMING_TEMPORAL_UI_URL: 'https://temporal.example.com/ui//',
      HOMING_LEAKED_PASSWORDS_URL: 'https://leaks.example.com/',
    });
    assert.equal(config.HOMING_PUBLIC_URL, 'https://chat.example.com');
    assert.deepEqual(config.HOMING_ALLOWED_ORIGINS, ['https://web.example.com', 'https://app.example.com']);
    assert.equal(config.HOMING_TEMPORAL_UI_URL, 'https://temporal.example.com/ui');
    assert.equal(config.HOMING_LEAKED_PASSWORDS_URL, 'https://leaks.example.com');
  });

  it('names every fault at once, each with what the setting is for', () => {
    const faults = faultsOf({ ...complete, PORT: 'eighty', REDIS_URL: 'http://redis', TEMPORAL_ADDRESS: undefined });
    assert.equal(faults.length, 3);
    assert.match(faults.find((fault) => fault.startsWith('PORT')) ?? '', /must be a port number.*Port of REST/);
    assert.match(faults.find((fault) => fault.startsWith('REDIS_URL')) ?? '', /redis:\/\//);
    assert.match(faults.find((fault) => fault.startsWith('TEMPORAL_ADDRESS')) ?? '', /is missing: Temporal frontend/);
  });

  it('takes networks and hosts that requests may go to, and no others', () => {
    const allow = (HOMING_EGRESS_ALLOW: string) => readConfig({ ...complete, HOMING_EGRESS_ALLOW }).HOMING_EGRESS_ALLOW;
    assert.deepEqual(allow(''), []);
    assert.deepEqual(allow('Keycloak:8080, [0::1]:80'), [
      { host: 'keycloak', port: 8080 },
      { host: '::1', port: 80 },
    ]);
    assert.equal(allow('10.8.0.0/16,fd12::/48').length, 2);
    for (const wrong of [
      '10.8.0.0',
      '10.8.0.0/33',
      'fd12::/129',
      'keycloak',
      'http://keycloak:80',
      'a@b:80',
      'a:99999',
    ])
      assert.match(
        faultsOf({ ...complete, HOMING_EGRESS_ALLOW: wrong }).join(),
        /HOMING_EGRESS_ALLOW must be net/,
        wrong,
      );
  });

  it('takes one pepper, or a ring of them', () => {
    const ringOf = (HOMING_PASSWORD_PEPPER: string) =>
      readConfig({ ...complete, HOMING_PASSWORD_PEPPER }).HOMING_PASSWORD_PEPPER;
    const [one, two] = ['x'.repeat(32), 'y'.repeat(32)];
    assert.deepEqual(ringOf(one), [{ kid: null, key: one }]);
    const ring = [
      { kid: 'b', key: two },
      { kid: 'a', key: one },
    ];
    assert.deepEqual(ringOf(JSON.stringify(ring)), ring);
    const short = [{ kid: 'a', key: one.slice(1) }];
    for (const faulty of [one.slice(1), '[', '[]', JSON.stringify(short), JSON.stringify([ring[0], ring[0]])]) {
      const faults = faultsOf({ ...complete, HOMING_PASSWORD_PEPPER: faulty });
      assert.equal(faults.length, 1, faulty);
      assert.match(faults[0] ?? '', /^HOMING_PASSWORD_PEPPER /);
      assert.ok(!faults[0]?.includes(one.slice(1)), 'no value is told');
    }
  });

  it('refuses a name with our prefix that is no setting', () => {
    assert.deepEqual(faultsOf({ ...complete, HOMING_LOG_LEVLE: 'debug' }), [
      'HOMING_LOG_LEVLE is not a setting: correct its spelling or remove it.',
    ]);
  });

  it('has no default for a secret, in production or elsewhere', () => {
    for (const [name, definition] of Object.entries(settings)) {
      if (!('secret' in definition) || 'optional' in definition) continue;
      assert.ok(!('fallback' in definition) && !('developmentFallback' in definition), name);
      for (const NODE_ENV of ['production', 'development']) {
        assert.ok(
          faultsOf({ ...complete, NODE_ENV, [name]: undefined }).some((fault) =>
            fault.startsWith(`${name} is missing`),
          ),
          name,
        );
      }
    }
  });

  it('never prints a value, above all no secret', () => {
    const env = {
      ...complete,
      DATABASE_URL: 'mysql://user:hunter2@db',
      HOMING_SECRET_KEY: 'hunter2',
      HOMING_JWT_KEYS: '[{"kid":"a","key":"hunter2"}]',
    };
    const faults = faultsOf(env);
    assert.equal(faults.length, 3);
    assert.ok(!faults.join().includes('hunter2'));
  });

  for (const name of ['SENDGRID_BASE_URL', 'TWILIO_BASE_URL', 'FCM_BASE_URL']) {
    it(`refuses ${name} in production, and takes it in development`, () => {
      const env = { ...complete, [name]: 'http://127.0.0.1:9' };
      assert.match(faultsOf(env).join(), new RegExp(`${name} must not be set in production`));
      assert.deepEqual(faultsOf({ ...env, NODE_ENV: 'development' }), []);
    });
  }

  describe('refuses credentials that look real beside a stand-in, which would be sent them', () => {
    const real: Record<string, [string, string]> = {
      SENDGRID_BASE_URL: ['SENDGRID_API_KEY', `SG.${'a'.repeat(22)}.${'b'.repeat(43)}`],
      TWILIO_BASE_URL: ['TWILIO_AUTH_TOKEN', 'c'.repeat(32)],
      FCM_BASE_URL: ['GOOGLE_APPLICATION_CREDENTIALS', '/keys/account.json'],
    };
    for (const [address, [secret, value]] of Object.entries(real)) {
      it(`${secret} beside ${address}`, () => {
        const alone = { ...complete, NODE_ENV: 'development', [secret]: value };
        assert.deepEqual(faultsOf(alone), []);
        const [fault = '', ...others] = faultsOf({ ...alone, [address]: 'http://127.0.0.1:9' });
        assert.deepEqual(others, []);
        assert.match(fault, new RegExp(`^${secret} looks real, and ${address} .*remove one of them`));
        assert.ok(!fault.includes(value), 'no value is printed');
      });
    }
  });

  describe('in production refuses to speak in the clear', () => {
    const refused = (env: NodeJS.ProcessEnv) => {
      assert.deepEqual(faultsOf({ ...complete, NODE_ENV: 'development', ...env }), []);
      const [fault = '', ...others] = faultsOf({ ...complete, ...env });
      assert.deepEqual(others, []);
      return fault;
    };

    for (const [name, plain, others] of [
      ['HOMING_PUBLIC_URL', 'http://chat.example.com', ['https://chat.example.com', 'http://127.0.0.1:4000']],
      ['HOMING_ALLOWED_ORIGINS', 'https://a.example, http://b.example', ['https://a.example, http://localhost:5173']],
    ] as const)
      it(`to people: ${name}`, () => {
        assert.match(refused({ [name]: plain }), new RegExp(`^${name} must be https:// .*Put TLS in front`));
        for (const other of others) assert.deepEqual(faultsOf({ ...complete, [name]: other }), []);
      });

    const postgres = 'postgres://homing_app:hunter2@db/homing';
    for (const [service, name, plain, others] of [
      ...[
        '',
        '?sslmode=require',
        '?sslmode=no-verify',
        '?sslmode=verify-full&sslmode=disable',
        '?host=db2',
        '?host=localhost&host=db2',
      ].map(
        (query) => ['postgresql', 'DATABASE_URL', `${postgres}${query}`, [`${postgres}?sslmode=verify-full`]] as const,
      ),
      ['postgresql', 'DATABASE_URL', 'postgres://a:hunter2@127.0.0.1/b?host=db', ['postgres:///b?host=/run/pg']],
      ['postgresql', 'DATABASE_OWNER_URL', postgres, ['postgres://a:b@[::1]:5432/homing']],
      ['redis', 'REDIS_URL', 'redis://:hunter2@redis:6379', ['redis://localhost', 'rediss://redis']],
      ['s3', 'S3_ENDPOINT', 'http://s3:7070', ['http://127.0.0.1:7070', 'https://s3', '']],
      ['elasticsearch', 'ELASTICSEARCH_URL', 'http://a:hunter2@search:9200', ['https://search:9200', '']],
    ] as const)
      it(`to ${service}: ${name}=${plain}`, () => {
        const fault = refused({ [name]: plain });
        assert.match(fault, new RegExp(`^${name} is without TLS .*name ${service} in HOMING_PLAINTEXT_SERVICES`));
        assert.ok(!fault.includes('hunter2'));
        for (const other of others) assert.deepEqual(faultsOf({ ...complete, [name]: other }), [], other);
        assert.deepEqual(
          faultsOf({ ...complete, [name]: plain, HOMING_PLAINTEXT_SERVICES: `elasticsearch, ${service}` }),
          [],
        );
      });

    describe('to postgresql, where PGHOST says where that is', () => {
      const { PGHOST } = process.env;
      afterEach(() => {
        if (PGHOST === undefined) delete process.env.PGHOST;
        else process.env.PGHOST = PGHOST;
      });
      it('elsewhere, and not on this machine', () => {
        const DATABASE_URL = 'postgres:///homing';
        process.env.PGHOST = 'db.example';
        assert.match(refused({ DATABASE_URL }), /^DATABASE_URL is without TLS/);
        for (const near of ['/run/pg', '127.0.0.1', '::1']) {
          process.env.PGHOST = near;
          assert.deepEqual(faultsOf({ ...complete, DATABASE_URL }), []);
        }
      });
    });

    it('to temporal, unless TLS is asked for by one of its settings', () => {
      assert.match(refused({ TEMPORAL_TLS: 'false' }), /^TEMPORAL_ADDRESS is without TLS .*TEMPORAL_TLS=true/);
      const plain = { ...complete, TEMPORAL_TLS: undefined };
      assert.deepEqual(faultsOf({ ...plain, TEMPORAL_ADDRESS: 'localhost:7233' }), []);
      assert.deepEqual(faultsOf({ ...plain, HOMING_PLAINTEXT_SERVICES: 'temporal' }), []);
    });

    it('and to believe any certificate', () => {
      assert.match(refused({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }), /^NODE_TLS_REJECT_UNAUTHORIZED must not be 0/);
      assert.deepEqual(faultsOf({ ...complete, NODE_TLS_REJECT_UNAUTHORIZED: '1' }), []);
    });

    it('and knows no other services', () => {
      assert.match(
        faultsOf({ ...complete, HOMING_PLAINTEXT_SERVICES: 'mysql' }).join(),
        /must be of postgresql, redis, temporal, s3, elasticsearch/,
      );
    });
  });

  it('reads certificates with the settings, and a key only with its certificate', () => {
    const folder = mkdtempSync(join(tmpdir(), 'homing-pem-'));
    const path = join(folder, 'ca.pem');
    writeFileSync(path, '-----BEGIN CERTIFICATE-----\n');
    assert.match(readConfig({ ...complete, HOMING_REDIS_CA: path }).HOMING_REDIS_CA ?? '', /^-----BEGIN/);
    for (const wrong of [join(folder, 'none.pem'), folder])
      assert.match(
        faultsOf({ ...complete, HOMING_REDIS_CA: wrong }).join(),
        /^HOMING_REDIS_CA must be the path of a PEM/,
      );
    for (const half of ['TEMPORAL_TLS_CLIENT_CERT_PATH', 'TEMPORAL_TLS_CLIENT_KEY_PATH'])
      assert.match(faultsOf({ ...complete, [half]: path }).join(), /belong together/);
    rmSync(folder, { recursive: true });
  });

  describe('providers that people sign in by', () => {
    const secret = 'hunter2hunter2';
    const one = { id: 'corp', type: 'oidc', issuer: 'https://id.example', clientId: 'homing', clientSecret: secret };
    const settingOf = (providers: unknown) => ({ ...complete, HOMING_OAUTH_PROVIDERS: JSON.stringify(providers) });

    it('are none unless they are named, and have what is usual where nothing is said', () => {
      assert.equal(readConfig(complete).HOMING_OAUTH_PROVIDERS, undefined);
      const gitHub = { id: 'github', type: 'github', clientId: 'homing', clientSecret: secret };
      const [oidc, other, entra] =
        readConfig(settingOf([one, gitHub, { ...one, id: 'ms', type: 'entra' }])).HOMING_OAUTH_PROVIDERS ?? [];
      assert.deepEqual([oidc?.name, oidc?.scope, oidc?.trustsEmail], ['corp', 'openid email profile', true]);
      assert.deepEqual([other?.issuer, other?.scope], ['https://github.com', 'read:user user:email']);
      assert.equal(entra?.trustsEmail, false);
    });

    for (const [what, wrong, fault] of [
      [
        'an issuer without TLS',
        { ...one, issuer: 'http://id.example' },
        /0\.issuer: must be an address that begins with https/,
      ],
      ['no secret', { ...one, clientSecret: undefined }, /0\.clientSecret: /],
      ['a scope without openid', { ...one, scope: 'email' }, /0\.scope: must hold openid/],
      ['a name that is no word of a path', { ...one, id: 'a/b' }, /0\.id: must be small letters/],
      ['the addresses of a Microsoft tenant as proofs', { ...one, type: 'entra', email: 'trusted' }, /0\.email: /],
      ['what is not known', { ...one, secret }, /as a whole|0/],
    ] as const)
      it(`are refused with ${what}, and no secret is repeated`, () => {
        const [found = '', ...others] = faultsOf(settingOf([wrong]));
        assert.deepEqual(others, []);
        assert.match(found, fault);
        assert.ok(!found.includes(secret));
      });

    it('are refused twice, and as no JSON', () => {
      assert.match(faultsOf(settingOf([one, one])).join(), /names a provider twice/);
      assert.match(
        faultsOf({ ...complete, HOMING_OAUTH_PROVIDERS: `[${secret}` }).join(),
        /^(?!.*hunter2).*as a whole/,
      );
    });

    it('send a browser back to an app and to no script', () => {
      const returns = (text: string) => faultsOf({ ...complete, HOMING_OAUTH_RETURNS: text });
      assert.deepEqual(returns('https://app.example/in, com.example.app:/in, http://localhost:5173/in'), []);
      for (const wrong of [
        'javascript:alert(1)',
        'data:text/html,x',
        'http://app.example/in',
        'https://app.example/#in',
        'in',
      ])
        assert.match(returns(wrong).join(), /HOMING_OAUTH_RETURNS must be https addresses/, wrong);
    });
  });

  it('wants a token for the codec endpoint, and a strong hash, in production', () => {
    assert.match(faultsOf({ ...complete, HOMING_CODEC_PORT: '9000' }).join(), /HOMING_CODEC_TOKEN is missing/);
    assert.match(faultsOf({ ...complete, HOMING_ARGON2_MEMORY: '18' }).join(), /19 or more/);
    assert.deepEqual(faultsOf({ ...complete, HOMING_ARGON2_MEMORY: '19' }), []);
  });

  it('judges keys: a signing key must be P-256, a payload key 32 bytes, an id stands once', () => {
    const short = JSON.stringify([{ kid: 'a', key: Buffer.alloc(31).toString('base64') }]);
    assert.match(faultsOf({ ...complete, HOMING_PAYLOAD_KEYS: short }).join(), /wrong kind/);
    assert.match(faultsOf({ ...complete, HOMING_JWT_KEYS: '[{"kid":"a","key":"-----BEGIN"}]' }).join(), /wrong kind/);
    const [key] = JSON.parse(secrets.HOMING_PAYLOAD_KEYS ?? '') as object[];
    assert.match(faultsOf({ ...complete, HOMING_PAYLOAD_KEYS: JSON.stringify([key, key]) }).join(), /twice/);
    assert.match(faultsOf({ ...complete, HOMING_PAYLOAD_KEYS: 'not json' }).join(), /must be JSON/);
  });

  it('reads a ladder over the standard one and names what it does not understand', () => {
    const { HOMING_LADDER } = readConfig({ ...complete, HOMING_LADDER: 'push=2s email=90s give-up=1h' });
    assert.deepEqual(
      [HOMING_LADDER.pushMs, HOMING_LADDER.emailMs, HOMING_LADDER.retry.giveUpMs],
      [2_000, 90_000, 3_600_000],
    );
    assert.equal(HOMING_LADDER.smsMs, standardLadder.smsMs);
    const nightOf = (night: string) =>
      readConfig({ ...complete, HOMING_LADDER: `sms-night=${night}` }).HOMING_LADDER.smsNight;
    assert.deepEqual(nightOf('22:30-06:00'), { from: '22:30', until: '06:00' });
    assert.equal(nightOf('off'), null);
    for (const night of ['22:30', '22:30-24:00', '06:00-06:00'])
      assert.match(faultsOf({ ...complete, HOMING_LADDER: `sms-night=${night}` }).join(), new RegExp(night));
    assert.match(faultsOf({ ...complete, HOMING_LADDER: 'pigeon=2s' }).join(), /"pigeon=2s"/);
    assert.match(faultsOf({ ...complete, HOMING_LADDER: 'push=soon' }).join(), /"push=soon"/);
  });

  it('takes rate limits over the standard ones, and refuses what it does not understand by name', () => {
    const limitsOf = (text: string) => readConfig({ ...complete, HOMING_RATE_LIMITS: text }).HOMING_RATE_LIMITS;
    assert.deepEqual(limitsOf(''), { limits: rateLimits, nodes: 2 });
    const { limits, nodes } = limitsOf('send=50/4s login=off nodes=7');
    assert.deepEqual(limits, { ...rateLimits, send: { ...rateLimits.send, points: 50, seconds: 4 }, login: null });
    assert.equal(nodes, 7);
    const only = limitsOf('all=off read=1/1m').limits;
    assert.deepEqual([only.read?.seconds, only.send], [60, null]);
    for (const wrong of [
      'send=20',
      'send=0/1s',
      'send=5/500ms',
      'send=5/1500ms',
      'sends=5/1s',
      'nodes=0',
      'send=off/1s',
    ])
      assert.match(faultsOf({ ...complete, HOMING_RATE_LIMITS: wrong }).join(), new RegExp(`"${wrong}"`), wrong);
  });

  it('reads caps over the standard ones and names what it does not understand', () => {
    const capsOf = (text: string) => readConfig({ ...complete, HOMING_CAPS: text }).HOMING_CAPS;
    assert.deepEqual(capsOf(''), standardCaps);
    assert.deepEqual(capsOf('email-hour=1 org-sms-day=500 urgent-sms-day=0'), {
      ...standardCaps,
      emailsPerHour: 1,
      orgTextsPerDay: 500,
      urgentTextsPerDay: 0,
    });
    assert.equal(capsOf('org-sms-day=0').orgTextsPerDay, 0);
    for (const wrong of ['pigeons=2', 'email-hour=0', 'email-hour=-1', 'sms-day=few', 'sms-day'])
      assert.match(faultsOf({ ...complete, HOMING_CAPS: wrong }).join(), new RegExp(`"${wrong}"`));
  });

  it('reads rates of the queues over the standard ones and names what it does not understand', () => {
    const ratesOf = (text: string) => readConfig({ ...complete, HOMING_QUEUE_RATES: text }).HOMING_QUEUE_RATES;
    assert.deepEqual(ratesOf(''), standardRates);
    assert.deepEqual(ratesOf('sms=0.5 push=100'), { ...standardRates, sms: 0.5, push: 100 });
    for (const wrong of ['pigeon=2', 'push=0', 'email=-1', 'sms=few', 'sms'])
      assert.match(faultsOf({ ...complete, HOMING_QUEUE_RATES: wrong }).join(), new RegExp(`"${wrong}"`));
  });

  it('reads how sessions are watched, and lets nobody be laxer than is promised', () => {
    const watchOf = (text: string) => readConfig({ ...complete, HOMING_SESSION_WATCH: text }).HOMING_SESSION_WATCH;
    assert.deepEqual(watchOf(''), { reloadMs: 2_000, fenceMs: 60_000 });
    assert.deepEqual(watchOf('reload=100ms fence=200ms'), { reloadMs: 100, fenceMs: 200 });
    for (const wrong of ['reload=99ms', 'reload=2001ms', 'fence=61s', 'fence=3999ms', 'fence=soon', 'gate=2s'])
      assert.match(faultsOf({ ...complete, HOMING_SESSION_WATCH: wrong }).join(), /^HOMING_SESSION_WATCH/, wrong);
  });

  it('understands durations', () => {
    assert.deepEqual(['250ms', '1.5s', '20m', '2h', '3d', '5', 's', '-1s'].map(duration), [
      250,
      1_500,
      1_200_000,
      7_200_000,
      259_200_000,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('has an example file that is up to date (`npm run gen` writes it)', () => {
    assert.equal(readFileSync(new URL('../../.env.example', import.meta.url), 'utf8'), envExample());
  });
});
