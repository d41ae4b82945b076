import type { Dm2Verb } from '../../command.ts';
import type { EverythingForm } from '../capabilities.ts';
import type { AddressFields } from './address.ts';

/** What tells the text dialects apart where they read and write lines. */
export interface TextGrammar {
  /** Verb on the wire to its approved name, in the order of the documents. */
  readonly verbs: Readonly<Record<string, Dm2Verb>>;
  readonly fields: AddressFields;
  readonly everything: EverythingForm;
  /** `*` lists the instances too; where not, `*?Levels=1` does. */
  readonly starListsInstances: boolean;
  /** The document must begin with `MsgID n` when written; when read it may always. */
  readonly numbered: boolean;
  readonly showNeedsReturnUrl: boolean;
  /** A document without commands is how a session ends; elsewhere END is written for it. */
  readonly endsByEmptyDocument: boolean;
}

/** The wire's name of an approved verb. */
export function wireVerb(grammar: TextGrammar, verb: Dm2Verb): string | undefined {
  for (const name in grammar.verbs) if (grammar.verbs[name] === verb) return name;
  return undefined;
}
