import { DragomanError } from '../../../support/errors.ts';
import { isXmlChar } from '../../xml/characters.ts';
import { openText } from '../../xml/charset.ts';
import { escapeText } from '../../xml/escape.ts';
import { lineAndColumn } from '../../xml/position.ts';
import { readProlog } from '../../xml/prolog.ts';
import {
  type Characteristic,
  DocumentBuilder,
  PROVISIONING_LIMITS,
  type ProvisioningDocument,
} from './document.ts';

const DECLARATION =
  '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE wap-provisioningdoc PUBLIC "-//WAPFORUM//DTD PROV 1.0//EN" "http://www.wapforum.org/DTD/prov.dtd">';

/**
 * A provisioning document as XML (`text/vnd.wap.connectivity-xml`).
 *
 * @throws DragomanError `bad-value` for text that XML cannot carry
 */
export function writeProvisioningXml({ version, characteristics }: ProvisioningDocument): string {
  const root = version === undefined ? '' : attribute('version', version);
  return `${DECLARATION}<wap-provisioningdoc${root}>${characteristics.map(write).join('')}</wap-provisioningdoc>`;
}

function write({ type, parms, characteristics }: Characteristic): string {
  const content = [
    ...parms.map(
      ({ name, value, datatype }) =>
        `<parm${attribute('name', name)}${optional('value', value)}${optional('datatype', datatype)}/>`,
    ),
    ...characteristics.map(write),
  ].join('');
  const start = `<characteristic${attribute('type', type)}`;
  return content === '' ? `${start}/>` : `${start}>${content}</characteristic>`;
}

const BLANKS: Readonly<Record<string, string>> = { '"': '&quot;', '\t': '&#9;', '\n': '&#10;' };

function optional(name: string, value: string | undefined): string {
  return value === undefined ? '' : attribute(name, value);
}

/** A reader would turn line ends and tabs of an attribute into blanks; as references they last. */
function attribute(name: string, value: string): string {
  return ` ${name}="${escapeText(value).replace(/["\t\n]/g, (c) => BLANKS[c]!)}"`;
}

/**
 * Reads a provisioning document: elements and attributes only. An external DOCTYPE is read over; internal
 * subsets, other entities than the five and processing instructions are refused.
 *
 * @throws DragomanError `malformed` with line:column, `too-large`
 */
export function readProvisioningXml(document: string | Uint8Array): ProvisioningDocument {
  if (document.length > PROVISIONING_LIMITS.bytes) {
    throw new DragomanError(
      'too-large',
      `The document has a length of ${document.length}; the limit is ${PROVISIONING_LIMITS.bytes}.`,
    );
  }
  const { text, start } = openText(document);
  return new TextReader(text, readProlog(text, start)).read();
}

/** A piece of the document: blanks, comment, end tag, or the name of a start tag. */
const PIECE = /[ \t\r\n]+|<!--(?:[^-]|-[^-])*-->|<\/([A-Za-z][\w.:-]*)[ \t\r\n]*>|<([A-Za-z][\w.:-]*)/y;
/** An attribute, or the end of the tag. */
const IN_TAG = /[ \t\r\n]+([A-Za-z][\w.:-]*)[ \t\r\n]*=[ \t\r\n]*(?:"([^"<]*)"|'([^'<]*)')|[ \t\r\n]*(\/?)>/y;
const MAX_ATTRIBUTES = 8;

class TextReader {
  private readonly text: string;
  private at: number;
  private readonly builder: DocumentBuilder;
  private readonly names: string[] = [];

  constructor(text: string, at: number) {
    this.text = text;
    this.at = at;
    this.builder = new DocumentBuilder((reason) => this.fail(reason));
  }

  read(): ProvisioningDocument {
    while (this.at < this.text.length) {
      const [, end, start] = this.match(PIECE, 'neither a tag, a comment nor white space stands here');
      if (start !== undefined) this.startTag(start);
      else if (end !== undefined) this.endTag(end);
    }
    return this.builder.document();
  }

  private startTag(name: string): void {
    const attributes = new Map<string, string>();
    for (;;) {
      const [, attribute, quoted, single, close] = this.match(IN_TAG, 'the tag is not well-formed');
      if (attribute === undefined) {
        this.builder.start(local(name), attributes);
        this.names.push(name);
        if (close === '/') this.endTag(name);
        return;
      }
      if (attributes.has(attribute)) this.fail(`attribute ${attribute} occurs twice`);
      if (attributes.size === MAX_ATTRIBUTES)
        this.fail(`an element has more than ${MAX_ATTRIBUTES} attributes`);
      attributes.set(attribute, this.value(quoted ?? single ?? ''));
    }
  }

  private endTag(name: string): void {
    if (this.names.pop() !== name) this.fail('an end tag closes another element');
    this.builder.end();
  }

  /** The value of an attribute: references resolved, line ends and tabs as blanks. */
  private value(raw: string): string {
    for (const c of raw) {
      if (!isXmlChar(c.codePointAt(0)!)) this.fail('an attribute holds a character that is not allowed');
    }
    return raw
      .replace(/\r\n|[\r\n\t]/g, ' ')
      .replace(/&([^;&]{0,10})(;?)/g, (_, name: string, end: string) => {
        const code = end === ';' ? codeOf(name) : undefined;
        if (code === undefined || !isXmlChar(code)) this.fail('an attribute holds "&" that begins no entity');
        return String.fromCodePoint(code);
      });
  }

  private match(pattern: RegExp, reason: string): RegExpExecArray {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match === null) this.fail(reason);
    this.at = pattern.lastIndex;
    return match;
  }

  private fail(reason: string): never {
    throw new DragomanError('malformed', `${lineAndColumn(this.text, this.at)}: ${reason}.`);
  }
}

const ENTITIES: ReadonlyMap<string, number> = new Map([
  ['amp', 38],
  ['lt', 60],
  ['gt', 62],
  ['quot', 34],
  ['apos', 39],
]);

function codeOf(name: string): number | undefined {
  const match = /^#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))$/.exec(name);
  if (match === null) return ENTITIES.get(name);
  return match[1] === undefined ? Number.parseInt(match[2]!, 10) : Number.parseInt(match[1], 16);
}

function local(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
