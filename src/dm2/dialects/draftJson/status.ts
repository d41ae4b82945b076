export { jsonStatus as status } from '../json/packages.ts';
