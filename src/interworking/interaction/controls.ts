/** A form as a browser without script sees it, in the terms of HTML: what is asked and what is sent. */
interface Named {
  readonly name: string;
}

export interface TextControl extends Named {
  readonly kind: 'text';
  /** `text`, `number`, `date`, …; `textarea`. */
  readonly type: string;
  readonly label: string;
  readonly value: string;
  readonly maxLength?: number;
  readonly required: boolean;
}

/** A radio button or checkbox. */
export interface CheckControl extends Named {
  readonly kind: 'radio' | 'checkbox';
  readonly label: string;
  /** Legend of its fieldset, which is the question. */
  readonly group: string;
  readonly value: string;
  readonly checked: boolean;
  readonly required: boolean;
}

export interface SelectOption {
  /** With the label of its group before it. */
  readonly label: string;
  readonly value: string;
  readonly selected: boolean;
  readonly disabled: boolean;
}

export interface SelectControl extends Named {
  readonly kind: 'select';
  readonly label: string;
  readonly multiple: boolean;
  readonly required: boolean;
  readonly options: readonly SelectOption[];
}

/** Sent as it is: hidden, read-only, or out of sight. */
export interface FixedControl extends Named {
  readonly kind: 'fixed';
  readonly value: string;
}

export interface FileControl extends Named {
  readonly kind: 'file';
  readonly label: string;
}

export interface SubmitControl extends Named {
  readonly kind: 'submit';
  readonly label: string;
  readonly value: string;
  /** `input type=image`: sends where it was pressed. */
  readonly image: boolean;
  /** Of its own, in place of the form's: `formaction`, … */
  readonly target?: Partial<FormTarget>;
}

export type Control = TextControl | CheckControl | SelectControl | FixedControl | FileControl | SubmitControl;

export interface FormTarget {
  /** Absolute URL as written, resolved against the page; may be of any scheme. */
  readonly action: string;
  readonly method: 'get' | 'post' | 'dialog';
  readonly enctype: 'application/x-www-form-urlencoded' | 'multipart/form-data' | 'text/plain';
  /** The browser does not look whether required fields are filled. */
  readonly novalidate: boolean;
}

export interface Form extends FormTarget {
  /** In document order; disabled ones are not among them. */
  readonly controls: readonly Control[];
}

export interface Page {
  readonly title: string;
  /** What a user reads beside controls, labels and buttons. */
  readonly text: string;
  readonly forms: readonly Form[];
  readonly hasScript: boolean;
  /** Where the page itself leads on (`meta http-equiv=refresh`), and after how many seconds. */
  readonly refresh?: { readonly seconds: number; readonly url: string };
}
