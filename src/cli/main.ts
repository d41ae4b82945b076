#!/usr/bin/env node
import { processIo } from './io.ts';
import { runProgram } from './program.ts';

const code = await runProgram(process.argv.slice(2), processIo());
process.exitCode = code;
