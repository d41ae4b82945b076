/** The layers of ARCHITECTURE.md: a file imports only from its own row and from rows below. */
const rows = [
  ['support'],
  ['store'],
  ['mo'],
  ['dm1', 'dm2'],
  ['interworking'],
  ['gateway'],
  ['http', 'console'],
  ['cli'],
];
const upward = rows.flatMap((folders, row) =>
  folders.map((folder) => ({
    name: `${folder}-imports-only-downwards`,
    severity: 'error',
    from: { path: `^src/${folder}/` },
    to: { path: `^src/(${rows.slice(row + 1).flat().join('|') || 'nothing-above'})/` },
  })),
);
const core = rows.slice(0, 6).flat().join('|');

module.exports = {
  forbidden: [
    ...upward,
    { name: 'generations-meet-only-in-interworking', severity: 'error', from: { path: '^src/dm1/' }, to: { path: '^src/dm2/' } },
    { name: 'generations-meet-only-in-interworking-2', severity: 'error', from: { path: '^src/dm2/' }, to: { path: '^src/dm1/' } },
    {
      name: 'mo-knows-no-store',
      comment: 'the management-object model is pure',
      severity: 'error',
      from: { path: '^src/(mo|dm1|dm2|interworking)/' },
      to: { path: '^src/store/' },
    },
    {
      name: 'translators-do-no-io',
      severity: 'error',
      from: { path: '^src/interworking/' },
      to: { path: '^(node:)?(fs|net|http|https|child_process|dns|timers)', dependencyTypes: ['core'] },
    },
    { name: 'side-tools-are-not-imported', severity: 'error', from: { path: `^src/(${core}|http)/` }, to: { path: '^src/(simulator|qa)/' } },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
