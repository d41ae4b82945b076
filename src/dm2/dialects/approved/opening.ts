export { jsonOpening as opening } from '../json/packages.ts';
