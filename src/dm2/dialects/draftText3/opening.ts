import { textOpening } from '../text/message.ts';
import { IDENTITY_HEADER, STYLE } from './capabilities.ts';

export const opening = textOpening(IDENTITY_HEADER, STYLE);
