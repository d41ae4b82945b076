import { UNKNOWN_PUBLIC_ID } from '../tables/documents.ts';
import { DMDDF_NAMES } from '../tables/names.ts';
import { DMDDF_NAMESPACE } from '../tables/pages.ts';
import { wbxmlDocument } from '../wbxml/document.ts';
import { WbxmlSink } from '../wbxml/sink.ts';
import { escapeText } from '../xml/escape.ts';

/** Where the elements of a tree are written. */
export interface TreeSink {
  open(name: string): void;
  close(name: string): void;
  /** An element with text, perhaps none. */
  leaf(name: string, text: string): void;
}

export class XmlTreeSink implements TreeSink {
  xml = '';

  open(name: string): void {
    this.xml += name === 'MgmtTree' ? `<MgmtTree xmlns="${DMDDF_NAMESPACE}">` : `<${name}>`;
  }

  close(name: string): void {
    this.xml += `</${name}>`;
  }

  leaf(name: string, text: string): void {
    this.xml += text === '' ? `<${name}/>` : `<${name}>${escapeText(text)}</${name}>`;
  }
}

export class WbxmlTreeSink implements TreeSink {
  private readonly sink = new WbxmlSink();

  open(name: string): void {
    this.sink.open(idOf(name));
  }

  close(_name: string): void {
    this.sink.close();
  }

  leaf(name: string, text: string): void {
    // The same texts are refused in both encodings (IW-VAL-4).
    escapeText(text);
    this.sink.leaf(idOf(name), text);
  }

  document(): Uint8Array {
    return wbxmlDocument({ publicId: UNKNOWN_PUBLIC_ID }, this.sink);
  }
}

function idOf(name: string): number {
  return DMDDF_NAMES.find(name, 0, name.length);
}
