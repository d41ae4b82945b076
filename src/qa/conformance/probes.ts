import type { RawCommand } from '../../dm2/packages.ts';

/** Where a probe may write and execute, and where the tester's own places are. */
export interface ProbeContext {
  /** Origin of the tester's repository. */
  readonly origin: string;
  /** Another endpoint of the tester, for CONT. */
  readonly moved: string;
  /** Where the report of an EXEC goes. */
  readonly report: string;
  readonly scratch: string;
  readonly exec: string;
}

/** One Package#2 that shows how a client does something. */
export interface Probe {
  readonly name: ProbeName;
  commands(context: ProbeContext): readonly RawCommand[];
}

export type ProbeName =
  | 'identity'
  | 'write and read'
  | 'get'
  | 'order'
  | 'exec'
  | 'exec later'
  | 'show'
  | 'default'
  | 'cont'
  | 'moved'
  | 'end';

const DEVINFO = 'urn:oma:mo:oma-dm-devinfo:1.2//DevID';

/** In the order in which clients are asked; optional commands stand alone. */
export const PROBES: readonly Probe[] = Object.freeze([
  { name: 'identity', commands: ({ origin }) => [['HPOST', `${origin}/upload/identity`, DEVINFO]] },
  {
    name: 'write and read',
    commands: ({ origin, scratch }) => [
      ['HGET', `${origin}/document`, scratch],
      ['HPUT', `${origin}/upload/put`, scratch],
      ['HPOST', `${origin}/upload/post`, scratch],
    ],
  },
  { name: 'get', commands: ({ scratch }) => [['GET', scratch]] },
  {
    name: 'order',
    commands: ({ origin, scratch }) => [
      ['HGET', `${origin}/missing`, scratch],
      ['HPOST', `${origin}/upload/before`, scratch],
      ['DELETE', scratch],
      ['HPOST', `${origin}/upload/after`, scratch],
    ],
  },
  { name: 'exec', commands: ({ exec }) => [['EXEC', exec]] },
  { name: 'exec later', commands: ({ exec, report }) => [['EXEC', exec, report]] },
  { name: 'show', commands: ({ origin }) => [['SHOW', `${origin}/page`]] },
  {
    name: 'default',
    commands: ({ origin }) => [['DEFAULT', 'urn:example:mo:conformance:1.0', `${origin}/document`]],
  },
  { name: 'cont', commands: ({ moved }) => [['CONT', moved]] },
  { name: 'moved', commands: ({ origin }) => [['HPOST', `${origin}/upload/moved`, DEVINFO]] },
  {
    name: 'end',
    commands: ({ origin }) => [['HPOST', `${origin}/upload/end`, DEVINFO], ['END']],
  },
]);
