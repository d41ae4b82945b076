/**
 * Makes a checkout ready: `node .ci/prepare.mjs build|test|bench`. Installs packages, builds, and for
 * `test` installs the programs that some tests compare with. Does nothing, quickly, when all is there.
 * Plain Node without packages, as it runs before any is installed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const goal = process.argv[2];
const GOALS = ['build', 'test', 'bench'];

/** Programs that tests run: where to look beside PATH, the Debian package, and what fails without. */
const PROGRAMS = [
  { name: 'wbxml2xml', package: 'libwbxml2-utils', tests: 'comparisons of the WBXML codec with libwbxml2' },
  {
    name: 'postgres',
    package: 'postgresql',
    tests: 'the storage and gateway suites on PostgreSQL',
    also: () => list('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`),
  },
  { name: 'xmllint', package: 'libxml2-utils', tests: 'the check of push messages against the DTD of PAP' },
  { name: 'chromium', package: 'chromium', tests: 'the browser tests' },
];

function say(text) {
  process.stderr.write(`prepare: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}

function list(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Runs a command with our own output and no input; true when it ended well. */
function run(command, args, env = {}) {
  const done = spawnSync(command, args, {
    cwd: root,
    // Standard output belongs to the command that comes after us.
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...env },
  });
  return done.status === 0;
}

function read(file) {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch {
    return '';
  }
}

function mtime(file) {
  return existsSync(join(root, file)) ? statSync(join(root, file)).mtimeMs : 0;
}

/**
 * `npm ci` where the lock allows it. A lock that was written against a registry without the binaries of
 * other platforms lacks them, which `npm ci` refuses; `npm install` takes the same versions from it.
 */
function installPackages() {
  const exact = spawnSync('npm', ['ci', '--dry-run'], { cwd: root, stdio: 'ignore' }).status === 0;
  if (exact) return run('npm', ['ci', '--no-fund', '--no-audit']);
  const lock = read('package-lock.json');
  const ok = run('npm', ['install', '--no-save', '--no-fund', '--no-audit']);
  if (read('package-lock.json') !== lock) writeFileSync(join(root, 'package-lock.json'), lock);
  return ok;
}

function install() {
  const stamp = 'node_modules/.dragoman-lock';
  const wanted = `${createHash('sha256').update(read('package-lock.json')).digest('hex')} abi ${process.versions.modules}`;
  const found = read(stamp);
  const built = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node';
  if (found !== wanted) {
    // `npm install` by hand leaves no stamp of ours, but a lock of its own that is newer than the project's.
    const byHand = found === '' && mtime('node_modules/.package-lock.json') >= mtime('package-lock.json');
    if (!byHand || mtime('node_modules/.package-lock.json') === 0) {
      say(
        'installing packages; better-sqlite3 compiles for a minute or two where no prebuilt binary can be fetched …',
      );
      const ticks = progress('still installing');
      const ok = installPackages();
      ticks.stop();
      if (!ok) {
        fail(
          'the packages could not be installed; see above. That needs the npm registry, and a C++ compiler, make and Python 3 for better-sqlite3.',
        );
      }
    }
  }
  if (!existsSync(join(root, built))) {
    say('building better-sqlite3 (a minute or two) …');
    run('npm', ['rebuild', 'better-sqlite3', '--ignore-scripts=false', '--foreground-scripts']);
    if (!existsSync(join(root, built))) {
      fail(
        'better-sqlite3 has no binary; it needs a C++ compiler, make and Python 3 (Debian: apt-get install g++ make python3).',
      );
    }
  }
  if (found !== wanted) writeFileSync(join(root, stamp), wanted);
}

/** A line every 20 s from a process of its own, as spawnSync blocks this one. */
function progress(text) {
  const script = `let s = 0; setInterval(() => console.error('prepare: ${text} (' + (s += 20) + ' s) …'), 20000)`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 2] });
  child.unref();
  return { stop: () => child.kill() };
}

/** Everything that the output of a build depends on, by path, size and time. */
function fingerprint(folders, files) {
  const lines = [...files];
  for (const folder of folders) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (entry.isFile())
        lines.push(join(folder, entry.parentPath.slice(join(root, folder).length), entry.name));
    }
  }
  const hash = createHash('sha256');
  for (const file of lines.sort()) {
    const stat = statSync(join(root, file), { throwIfNoEntry: false });
    hash.update(`${file} ${stat?.size} ${stat?.mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function build(project, out, folders) {
  const wanted = fingerprint(folders, ['tsconfig.json', project, 'package-lock.json']);
  if (read(`${out}/.stamp`) === wanted) return;
  say(`building ${out} …`);
  mkdirSync(join(root, out), { recursive: true });
  if (!run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project])) {
    fail(`the TypeScript build failed; see above (npx tsc -p ${project}).`);
  }
  writeFileSync(join(root, out, '.stamp'), wanted);
}

/** The benchmarks are built beside the data that they and the code read. */
function buildBench() {
  build('.ci/tsconfig.bench.json', 'dist-bench', ['src', 'bench']);
  writeFileSync(join(root, 'dist-bench/.gitignore'), '*\n');
  for (const data of ['mappings', 'fixtures', 'package.json']) {
    const link = join(root, 'dist-bench', data);
    if (!existsSync(link)) symlinkSync(join('..', data), link);
  }
}

function present(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...(program.also?.() ?? [])];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program.name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function programs() {
  let missing = PROGRAMS.filter((program) => !present(program));
  if (missing.length === 0) return;
  const apt = existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get') && process.getuid?.() === 0;
  if (apt) {
    const names = missing.map((program) => program.package);
    say(`installing ${names.join(', ')} with apt …`);
    const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
    if (run('apt-get', ['-qq', 'update'], quiet)) {
      // One by one: that one cannot be had takes nothing from the others.
      for (const name of names) {
        run(
          'apt-get',
          ['-qq', '-y', '--no-install-recommends', '-o', 'Dpkg::Use-Pty=0', 'install', name],
          quiet,
        );
      }
    }
    missing = missing.filter((program) => !present(program));
  }
  for (const { name, package: debian, tests } of missing) {
    say(`${name} is missing (Debian package ${debian}): ${tests} will fail.`);
  }
}

if (!GOALS.includes(goal)) fail(`usage: node .ci/prepare.mjs ${GOALS.join('|')}`);
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19))
  fail(`Node 20.19 or newer is needed; this is ${process.versions.node}.`);
install();
if (goal === 'bench') buildBench();
else build('tsconfig.build.json', 'dist', ['src']);
if (goal === 'test') programs();
