import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs one of Debian's converters (libwbxml) over many documents, in one shell. */
export function convert(
  tool: 'wbxml2xml' | 'xml2wbxml',
  options: string,
  documents: readonly (string | Uint8Array)[],
): Uint8Array[] {
  const folder = mkdtempSync(join(tmpdir(), 'libwbxml-test-'));
  try {
    for (const [i, bytes] of documents.entries()) writeFileSync(join(folder, `in${i}`), bytes);
    const script = documents.map((_, i) => `${tool} ${options} -o out${i} in${i}`).join(' && ');
    execFileSync('sh', ['-c', script], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    return documents.map((_, i) => readFileSync(join(folder, `out${i}`)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
