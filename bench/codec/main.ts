import { printTable } from '../rounds.ts';
import { runCodecBench } from './codecBench.ts';

for (const table of await runCodecBench()) process.stdout.write(`${printTable(table)}\n`);
