#!/usr/bin/env node
/**
 * Writes docs/conformance.md: every rule of docs/interworking.md with the tests whose titles name it.
 * `--check` writes nothing and fails when the page is out of date.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = join(root, 'docs/conformance.md');

/** Section and id of every rule, in the order of the document. */
function rules() {
  const list = [];
  let section = '';
  for (const line of readFileSync(join(root, 'docs/interworking.md'), 'utf8').split('\n')) {
    const heading = /^## (.+)$/.exec(line);
    if (heading) section = heading[1];
    const rule = /^\| (IW-[A-Z0-9]+-\d+) \| (.+) \|$/.exec(line);
    if (rule) list.push({ section, id: rule[1] });
  }
  return list;
}

function* testFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* testFiles(path);
    else if (entry.name.endsWith('.test.ts')) yield path;
  }
}

/** Titles of tests and suites by the rule that they name in brackets; a suite's rules hold for the suite. */
function proofs() {
  const byRule = new Map();
  for (const path of testFiles(join(root, 'test'))) {
    const text = readFileSync(path, 'utf8');
    for (const [, , title] of text.matchAll(/\b(?:it|test|describe)(?:\.each\([^]*?\))?\(\s*(['"`])((?:\\.|(?!\1)[^])*?)\1/g)) {
      const ids = new Set();
      for (const [, inside] of title.matchAll(/\[([^\]]*)\]/g)) {
        let family = '';
        for (const part of inside.split(/[,\s]+/)) {
          const full = /^(IW-[A-Z0-9]+)-(\d+)$/.exec(part);
          const short = /^-(\d+)$/.exec(part);
          if (full) {
            family = full[1];
            ids.add(part);
          } else if (short && family) ids.add(`${family}-${short[1]}`);
        }
      }
      // What a table of cases puts into a title is not known here.
      const clean = title.replace(/\s*\[[^\]]*\]/g, '').replace(/%[sdifjo#]|\$\{[^}]*\}|\$[a-z]\w*/g, '…').replace(/\s+/g, ' ').trim();
      for (const id of ids) {
        const list = byRule.get(id) ?? [];
        list.push({ file: relative(join(root, 'test'), path), title: clean === '…' ? 'every case of its table' : clean });
        byRule.set(id, list);
      }
    }
  }
  return byRule;
}

function render() {
  const byRule = proofs();
  const lines = [
    '# Conformance',
    '',
    'Every rule of [interworking.md](interworking.md) and the tests whose titles name it. This page is generated',
    'from the tests (`npm run conformance`).',
  ];
  let section;
  let proved = 0;
  const all = rules();
  for (const rule of all) {
    if (rule.section !== section) {
      section = rule.section;
      lines.push('', `## ${section}`, '', '| rule | tests |', '|---|---|');
    }
    const tests = byRule.get(rule.id) ?? [];
    if (tests.length > 0) proved++;
    const byFile = new Map();
    for (const { file, title } of tests) byFile.set(file, [...(byFile.get(file) ?? []), title]);
    const cell = [...byFile].map(([file, titles]) => `\`${file}\`: ${[...new Set(titles)].join('; ')}`).join('<br>');
    const shown = cell.replaceAll('|', '\\|') || 'no test names it';
    lines.push(`| ${rule.id} | ${shown} |`);
  }
  lines.splice(4, 0, '', `${proved} of ${all.length} rules have tests that name them.`);
  return `${lines.join('\n')}\n`;
}

const text = render();
if (process.argv.includes('--check')) {
  if (readFileSync(page, 'utf8') !== text) {
    console.error('docs/conformance.md is out of date: run `npm run conformance` and commit it.');
    process.exit(1);
  }
} else writeFileSync(page, text);
