import type { TreePath } from '../mo/treePath.ts';

/** What of a node matters here. */
interface AclNode {
  readonly acl?: string;
  readonly children?: ReadonlyMap<string, AclNode>;
}

/** Whether the ACL gives `subject` (a server identifier) the right to `command` (1x§7.6). */
export function aclAllows(acl: string, command: string, subject: string): boolean {
  for (const entry of acl.split('&')) {
    const [name, ids] = entry.split('=');
    if (name?.trim() !== command) continue;
    return (ids ?? '').split('+').some((id) => id.trim() === '*' || id.trim() === subject);
  }
  return false;
}

/** The whole ACL value of the nearest node, from `path` upwards, that has one; a root without is open. */
export function effectiveAcl(root: AclNode, path: TreePath): string {
  let node: AclNode | undefined = root;
  let acl = root.acl ?? 'Add=*&Copy=*&Delete=*&Exec=*&Get=*&Replace=*';
  for (const segment of path) {
    node = node?.children?.get(segment);
    if (node?.acl) acl = node.acl;
  }
  return acl;
}
