import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../dev/services/index.ts';

interface Manifest {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
}
interface Lock {
  packages: Record<string, { version: string; integrity?: string; hasInstallScript?: boolean; link?: boolean }>;
}
interface Sbom {
  bomFormat: string;
  components: {
    name: string;
    version: string;
    hashes?: { alg: string; content: string }[];
    licenses?: unknown[];
    properties?: { name: string; value: string }[];
  }[];
}

/** What the package `node` fetches for the machine that it is installed on: the one thing that no lock names. */
const isNodeItself = /^node-(linux|darwin|win)-\w+$/;

/** Where a licence is said of whose manifest names none that `npm sbom` knows. */
const licensedByFile: Readonly<Record<string, readonly [file: string, says: RegExp]>> = {
  pause: ['Readme.md', /The MIT License/],
  'starkbank-ecdsa': ['LICENSE', /^MIT License/],
  unionfs: ['LICENSE', /^This is free and unencumbered software/],
};

const read = <Shape>(file: string) => JSON.parse(readFileSync(join(root, file), 'utf8')) as Shape;

describe('packages', () => {
  const manifest = read<Manifest>('package.json');
  const lock = read<Lock>('package-lock.json');
  const installed = Object.entries(lock.packages).filter(([path]) => path !== '');

  it('are asked for at one exact version each', () => {
    const asked = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    assert.ok(asked.length > 50);
    assert.deepEqual(
      asked.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)),
      [],
    );
  });

  it('stand in the lock with the hash of what is installed', () => {
    assert.deepEqual(
      installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path),
      [],
    );
  });

  it('run nothing when they are installed, but for Node itself', () => {
    const wanting = installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
    const names = new Set(wanting.map((path) => path.split('node_modules/').at(-1) ?? path));
    assert.deepEqual([...names].sort(), Object.keys(manifest.allowScripts).sort(), 'each is decided on');
    const allowed = Object.entries(manifest.allowScripts).filter(([, isAllowed]) => isAllowed);
    assert.deepEqual(allowed, [['node', true]]);
  });

  it('are listed by npm run sbom, each with its version, hash and licence, and whether only tests and tools need it', () => {
    const printed = execFileSync('npm', ['run', '--silent', 'sbom'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    const { bomFormat, components } = JSON.parse(printed) as Sbom;
    assert.equal(bomFormat, 'CycloneDX');
    const unlicensed = components.filter(({ licenses }) => !licenses?.length).map(({ name }) => name);
    assert.deepEqual(unlicensed.sort(), Object.keys(licensedByFile).sort(), 'docs/security.md names them');
    for (const { name, hashes } of components)
      if (!isNodeItself.test(name)) assert.equal(hashes?.[0]?.alg, 'SHA-512', name);
    const listed = new Map(components.map((component) => [`${component.name}@${component.version}`, component]));
    const isForTools = (name: string, version: string | undefined) => {
      const found = listed.get(`${name}@${version}`);
      assert.equal(found?.hashes?.[0]?.alg, 'SHA-512', name);
      return (found.properties ?? []).some((property) => property.name === 'cdx:npm:package:development');
    };
    for (const [name, [file, says]] of Object.entries(licensedByFile))
      assert.match(readFileSync(join(root, 'node_modules', name, file), 'utf8'), says, name);
    for (const [name, version] of Object.entries(manifest.dependencies)) assert.ok(!isForTools(name, version), name);
    assert.ok(isForTools('mocha', manifest.devDependencies.mocha));
  });
});
