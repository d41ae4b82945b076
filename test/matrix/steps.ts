/** What the scenario of the matrix asks of every device, in the order of its session. */
export const STEPS = [
  { id: 'alert', text: "the device's own alert reaches the backend" },
  { id: 'readLeaf', text: 'one value is read' },
  { id: 'readTree', text: 'a subtree is read, with its values' },
  { id: 'readInline', text: 'one value is read within the session, without a repository' },
  { id: 'wildcard', text: 'a wildcard is read' },
  { id: 'writeTree', text: 'a subtree is replaced' },
  { id: 'writeLeaf', text: 'one value is replaced' },
  { id: 'delete', text: 'a node is deleted' },
  { id: 'ask', text: 'a page or question reaches the user' },
  { id: 'execute', text: 'an operation is executed, and its report reaches who asked for it' },
] as const;

export type StepId = (typeof STEPS)[number]['id'];

/** `holds`: the effect was seen; a code: the backend was told so; `-`: this backend's protocol has no words for it. */
export type Outcome = 'holds' | '-' | (string & {});

export interface Cell {
  readonly outcomes: Readonly<Record<StepId, Outcome>>;
  /** What the trace says was lost, assumed or done on the way: rule and text, each once. */
  readonly notes: readonly string[];
}

export interface Side {
  /** Heading of the page. */
  readonly title: string;
  readonly id: string;
}
