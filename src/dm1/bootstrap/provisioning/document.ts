import { DragomanError } from '../../../support/errors.ts';

/** A parameter; a name without value is a flag (`INIT`). */
export interface Parm {
  readonly name: string;
  readonly value?: string;
  /** Of Windows (1x§15.5): `integer`, `boolean`; WBXML has no token for it. */
  readonly datatype?: string;
}

export interface Characteristic {
  readonly type: string;
  /** In the order of the document: a later parameter may depend on an earlier one. */
  readonly parms: readonly Parm[];
  readonly characteristics: readonly Characteristic[];
}

/** A WAP provisioning document, the content of a CP profile (1x§14). */
export interface ProvisioningDocument {
  readonly version?: string;
  readonly characteristics: readonly Characteristic[];
}

/** Bounds for documents, which come with pushes and are small. */
export const PROVISIONING_LIMITS = Object.freeze({ bytes: 64 * 1024, depth: 16, elements: 2000 });

/** Collects a document element by element, whatever the encoding it is read from. */
export class DocumentBuilder {
  private readonly open: { type: string; parms: Parm[]; characteristics: Characteristic[] }[] = [];
  private elements = 0;
  private version: string | undefined;
  private begun = false;
  private readonly fail: (reason: string) => never;

  constructor(fail: (reason: string) => never) {
    this.fail = fail;
  }

  /** How deep inside elements the builder is. */
  get depth(): number {
    return this.open.length;
  }

  start(tag: string, attributes: ReadonlyMap<string, string>): void {
    this.elements += 1;
    if (this.elements > PROVISIONING_LIMITS.elements) this.tooLarge('elements', PROVISIONING_LIMITS.elements);
    if (this.open.length >= PROVISIONING_LIMITS.depth) this.tooLarge('levels', PROVISIONING_LIMITS.depth);
    if (!this.begun) {
      if (tag !== 'wap-provisioningdoc') this.fail('the root element is not wap-provisioningdoc');
      this.begun = true;
      this.version = attributes.get('version');
      this.open.push({ type: '', parms: [], characteristics: [] });
      return;
    }
    const parent = this.open.at(-1);
    if (parent === undefined) this.fail('something follows the end of the root element');
    if (tag === 'characteristic') {
      const type = attributes.get('type');
      if (type === undefined || type === '') this.fail('a characteristic has no type');
      const characteristic = { type, parms: [], characteristics: [] };
      parent.characteristics.push(characteristic);
      this.open.push(characteristic);
    } else if (tag === 'parm') {
      const name = attributes.get('name');
      const value = attributes.get('value');
      if (name === undefined || name === '') this.fail('a parm has no name');
      if (this.open.length === 1) this.fail('a parm stands outside of a characteristic');
      const datatype = attributes.get('datatype');
      parent.parms.push({
        name,
        ...(value !== undefined && { value }),
        ...(datatype !== undefined && { datatype }),
      });
      this.open.push({ type: '', parms: [], characteristics: [] });
    } else {
      this.fail(`element ${tag.slice(0, 40)} is none of a provisioning document`);
    }
  }

  private root: { characteristics: readonly Characteristic[] } | undefined;

  end(): void {
    const closed = this.open.pop();
    if (this.open.length === 0) this.root = closed;
  }

  document(): ProvisioningDocument {
    if (this.root === undefined) this.fail('the document ends inside an element');
    return {
      ...(this.version !== undefined && { version: this.version }),
      characteristics: this.root.characteristics,
    };
  }

  private tooLarge(what: string, limit: number): never {
    throw new DragomanError('too-large', `The provisioning document has more than ${limit} ${what}.`);
  }
}

/** The first parameter of that name, upper and lower case alike; the empty text for a flag. */
export function parmOf(characteristic: Characteristic, name: string): string | undefined {
  const found = characteristic.parms.find((parm) => parm.name.toUpperCase() === name);
  return found && (found.value ?? '');
}

export function typed(characteristics: readonly Characteristic[], type: string): readonly Characteristic[] {
  return characteristics.filter((each) => each.type.toUpperCase() === type);
}
