import type { ElementSink } from '../codec/writer.ts';
import { CMD_ID, DATA, METINF_NAMESPACE, NAME_OF, SYNC_ML } from '../tables/pages.ts';
import { escapeText } from './escape.ts';

const attribute = (id: number) => (id >> 6 === 1 ? ` xmlns="${METINF_NAMESPACE}"` : '');
const OPEN = NAME_OF.map((name, id) => `<${name}${attribute(id)}>`);
const CLOSE = NAME_OF.map((name) => `</${name}>`);
const EMPTY = NAME_OF.map((name, id) => `<${name}${attribute(id)}/>`);

/** Writes compact XML; each MetInf element declares its namespace, as real encoders do. */
export class XmlSink implements ElementSink {
  readonly binary = false;
  xml = '';
  private readonly namespace: string;

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  open(id: number): void {
    this.xml += id === SYNC_ML ? this.#root() : OPEN[id]!;
  }

  #root(): string {
    return `<SyncML xmlns="${escapeText(this.namespace).replaceAll('"', '&quot;')}">`;
  }

  close(id: number): void {
    this.xml += CLOSE[id]!;
  }

  leaf(id: number, text: string): void {
    this.xml += text === '' ? EMPTY[id]! : OPEN[id]! + escapeText(text) + CLOSE[id]!;
  }

  flag(id: number): void {
    this.xml += EMPTY[id]!;
  }

  data(text: string): void {
    this.leaf(DATA, text);
  }

  bytes(bytes: Uint8Array): void {
    this.leaf(DATA, Buffer.from(bytes).toString('base64'));
  }

  foreign(name: string, cmdId: string): void {
    this.xml += `<${name}>`;
    this.leaf(CMD_ID, cmdId);
    this.xml += `</${name}>`;
  }
}
