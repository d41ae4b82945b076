import { SaxesParser } from 'saxes';

/** A plain element tree, the least that any reader of a message has to build. */
export interface TreeNode {
  readonly name: string;
  readonly uri: string;
  readonly children: TreeNode[];
  text: string;
}

/** Builds the tree with saxes, namespaces resolved; throws what saxes reports first. */
export function saxesTree(xml: string): TreeNode {
  const top: TreeNode = { name: '', uri: '', children: [], text: '' };
  const stack = [top];
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    const node: TreeNode = { name: tag.local, uri: tag.uri, children: [], text: '' };
    stack[stack.length - 1]!.children.push(node);
    stack.push(node);
  });
  parser.on('closetag', () => {
    stack.pop();
  });
  const text = (value: string) => {
    stack[stack.length - 1]!.text += value;
  };
  parser.on('text', text);
  parser.on('cdata', text);
  parser.write(xml).close();
  return top.children[0]!;
}
