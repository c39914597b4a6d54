import { type KeyObject, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';

/** A certificate and its key, as PEM. */
export interface Certificate {
  cert: string;
  key: string;
}

const hour = 3_600_000;
const ecdsaWithSha256 = '1.2.840.10045.4.3.2';

/** A CA of one's own, known to nobody who is not told of it. */
export function createCa(): { cert: string; issue: (name: string) => Certificate } {
  const { publicKey, privateKey } = keyPair();
  const name = 'a CA of the tests';
  const signed = (subject: string, holder: KeyObject, extensions: Buffer) =>
    pemOf(certificate({ subject, issuer: name, holder, signer: privateKey, extensions }));
  return {
    cert: signed(name, publicKey, isCa()),
    issue(subject) {
      const leaf = keyPair();
      const key = leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
      return { cert: signed(subject, leaf.publicKey, isNamed(subject)), key };
    },
  };
}

const keyPair = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

// DER, of as much of X.509 (RFC 5280) as this needs.
const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
};
const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const bits = (content: Buffer) => der(0x03, Buffer.from([0]), content);
const text = (value: string) => der(0x0c, Buffer.from(value));
const time = (at: number) =>
  der(0x18, Buffer.from(`${new Date(at).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`));

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  const inSevens = (arc: number): number[] => {
    const bytes = [arc & 127];
    for (let rest = arc >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 127) | 128);
    return bytes;
  };
  return der(0x06, Buffer.from([first * 40 + second, ...others.flatMap(inSevens)]));
}

const nameOf = (common: string) => sequence(der(0x31, sequence(oid('2.5.4.3'), text(common))));
const extension = (id: string, value: Buffer) => sequence(oid(id), der(0x01, Buffer.from([255])), der(0x04, value));
const isCa = () => extension('2.5.29.19', sequence(der(0x01, Buffer.from([255]))));
const isNamed = (host: string) => extension('2.5.29.17', sequence(der(0x82, Buffer.from(host))));

interface Wanted {
  subject: string;
  issuer: string;
  holder: KeyObject;
  signer: KeyObject;
  extensions: Buffer;
}

function certificate({ subject, issuer, holder, signer, extensions }: Wanted): Buffer {
  const algorithm = sequence(oid(ecdsaWithSha256));
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ...[algorithm, nameOf(issuer), sequence(time(Date.now() - hour), time(Date.now() + 24 * hour)), nameOf(subject)],
    holder.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extensions)),
  );
  return sequence(content, algorithm, bits(createSign('sha256').update(content).sign(signer)));
}

const pemOf = (content: Buffer) =>
  `-----BEGIN CERTIFICATE-----\n${content.toString('base64').replaceAll(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
