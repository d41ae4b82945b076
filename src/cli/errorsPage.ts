import { ERRORS, type ErrorRow } from '../support/errors.ts';

const FAULT: Record<ErrorRow['fault'], string> = {
  peer: 'the peer',
  backend: 'the backend',
  operator: 'the operator',
  ours: 'Dragoman',
};

/** docs/errors.md: the error catalogue for operators, in its own order. */
export function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, row]: [string, ErrorRow]) =>
      `| \`${code}\` | ${row.summary} | ${FAULT[row.fault]} | ${row.http} | ${row.dm1} | ${row.dm2} | ${row.retry ? 'yes' : 'no'} |`,
  );
  return [
    '# Errors',
    '',
    '<!-- Generated from src/support/errors.ts by `npm run docs`. -->',
    '',
    'Every failure has one of these codes: in the `code` of a problem document of the REST API, in the log, in',
    'traces and in the messages of the command line. The detail beside it says what, where and what to do.',
    'Peers see the status of their own protocol.',
    '',
    '| code | meaning | to blame | HTTP | DM 1.x status | DM 2.0 `sc` | may a retry help |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
