import type { EntryProblem } from '../../interworking/interaction/entry.ts';

/** What the pages say beside the legacy server's own words. */
export interface PageTexts {
  readonly source: string;
  readonly headings: Readonly<Record<'display' | 'confirm' | 'input' | 'single' | 'multiple', string>>;
  readonly ok: string;
  readonly yes: string;
  readonly no: string;
  readonly send: string;
  readonly cancel: string;
  /** `{time}`: how long there is to answer. */
  readonly within: string;
  /** `{count}`: characters that the answer may have. */
  readonly atMost: string;
  readonly severalChoices: string;
  readonly hints: Readonly<Record<'N' | 'D' | 'T' | 'P' | 'I', string>>;
  readonly problem: string;
  readonly problems: Readonly<Record<EntryProblem | 'no-choice', string>>;
  readonly done: { readonly heading: string; readonly answered: string; readonly cancelled: string };
  readonly closeWindow: string;
  readonly used: { readonly heading: string; readonly text: string };
  readonly expired: { readonly heading: string; readonly text: string };
  readonly unknown: { readonly heading: string; readonly text: string };
}

const en: PageTexts = {
  source: 'Device management',
  headings: {
    display: 'Message for you',
    confirm: 'Please decide',
    input: 'Please enter',
    single: 'Please choose one',
    multiple: 'Please choose',
  },
  ok: 'OK',
  yes: 'Yes',
  no: 'No',
  send: 'Send',
  cancel: 'Cancel',
  within: 'Please answer within {time}.',
  atMost: 'At most {count} characters.',
  severalChoices: 'You can choose several, or none.',
  hints: {
    N: 'A number, with sign and decimal point if needed.',
    D: 'A date as DDMMYYYY.',
    T: 'A time of day as hhmmss.',
    P: 'A phone number: digits, with + at the front if needed.',
    I: 'An IP address such as 192.0.2.10.',
  },
  problem: 'Please correct your answer',
  problems: {
    empty: 'Please enter something.',
    'too-long': 'This is too long.',
    'no-choice': 'Please choose one of these.',
    A: 'This cannot be sent.',
    N: 'This is not a number.',
    D: 'This is not a date.',
    T: 'This is not a time of day.',
    P: 'This is not a phone number.',
    I: 'This is not an IP address.',
  },
  done: {
    heading: 'Thank you',
    answered: 'Your answer was passed on.',
    cancelled: 'You cancelled; nothing was passed on.',
  },
  closeWindow: 'You can close this page.',
  used: {
    heading: 'Already answered',
    text: 'This question has been answered and cannot be answered twice. There is nothing more to do here.',
  },
  expired: {
    heading: 'Too late',
    text: 'The time to answer is over. If it still matters, your device will show you the question again.',
  },
  unknown: {
    heading: 'Page not found',
    text: 'There is no question at this address. Open the page from your device again, or ask whoever manages it.',
  },
};

const de: PageTexts = {
  source: 'Geräteverwaltung',
  headings: {
    display: 'Nachricht für Sie',
    confirm: 'Bitte entscheiden Sie',
    input: 'Bitte eingeben',
    single: 'Bitte eines auswählen',
    multiple: 'Bitte auswählen',
  },
  ok: 'OK',
  yes: 'Ja',
  no: 'Nein',
  send: 'Senden',
  cancel: 'Abbrechen',
  within: 'Bitte antworten Sie innerhalb von {time}.',
  atMost: 'Höchstens {count} Zeichen.',
  severalChoices: 'Sie können mehrere auswählen oder keines.',
  hints: {
    N: 'Eine Zahl, bei Bedarf mit Vorzeichen und Dezimalpunkt.',
    D: 'Ein Datum als TTMMJJJJ.',
    T: 'Eine Uhrzeit als hhmmss.',
    P: 'Eine Telefonnummer: Ziffern, bei Bedarf mit + am Anfang.',
    I: 'Eine IP-Adresse wie 192.0.2.10.',
  },
  problem: 'Bitte korrigieren Sie Ihre Antwort',
  problems: {
    empty: 'Bitte geben Sie etwas ein.',
    'too-long': 'Das ist zu lang.',
    'no-choice': 'Bitte wählen Sie eines davon aus.',
    A: 'Das kann nicht gesendet werden.',
    N: 'Das ist keine Zahl.',
    D: 'Das ist kein Datum.',
    T: 'Das ist keine Uhrzeit.',
    P: 'Das ist keine Telefonnummer.',
    I: 'Das ist keine IP-Adresse.',
  },
  done: {
    heading: 'Danke',
    answered: 'Ihre Antwort wurde weitergegeben.',
    cancelled: 'Sie haben abgebrochen; nichts wurde weitergegeben.',
  },
  closeWindow: 'Sie können diese Seite schließen.',
  used: {
    heading: 'Schon beantwortet',
    text: 'Diese Frage ist beantwortet und lässt sich nicht noch einmal beantworten. Hier ist nichts mehr zu tun.',
  },
  expired: {
    heading: 'Zu spät',
    text: 'Die Zeit für eine Antwort ist abgelaufen. Wenn sie noch wichtig ist, zeigt Ihr Gerät die Frage erneut.',
  },
  unknown: {
    heading: 'Seite nicht gefunden',
    text: 'Unter dieser Adresse gibt es keine Frage. Öffnen Sie die Seite erneut von Ihrem Gerät aus, oder fragen Sie, wer es verwaltet.',
  },
};

const fr: PageTexts = {
  source: 'Gestion de l’appareil',
  headings: {
    display: 'Message pour vous',
    confirm: 'Veuillez décider',
    input: 'Veuillez saisir',
    single: 'Veuillez choisir une réponse',
    multiple: 'Veuillez choisir',
  },
  ok: 'OK',
  yes: 'Oui',
  no: 'Non',
  send: 'Envoyer',
  cancel: 'Annuler',
  within: 'Veuillez répondre dans un délai de {time}.',
  atMost: '{count} caractères au maximum.',
  severalChoices: 'Vous pouvez en choisir plusieurs, ou aucune.',
  hints: {
    N: 'Un nombre, avec signe et point décimal au besoin.',
    D: 'Une date au format JJMMAAAA.',
    T: 'Une heure au format hhmmss.',
    P: 'Un numéro de téléphone : des chiffres, précédés de + au besoin.',
    I: 'Une adresse IP telle que 192.0.2.10.',
  },
  problem: 'Veuillez corriger votre réponse',
  problems: {
    empty: 'Veuillez saisir quelque chose.',
    'too-long': 'C’est trop long.',
    'no-choice': 'Veuillez choisir l’une de ces réponses.',
    A: 'Cela ne peut pas être envoyé.',
    N: 'Ce n’est pas un nombre.',
    D: 'Ce n’est pas une date.',
    T: 'Ce n’est pas une heure.',
    P: 'Ce n’est pas un numéro de téléphone.',
    I: 'Ce n’est pas une adresse IP.',
  },
  done: {
    heading: 'Merci',
    answered: 'Votre réponse a été transmise.',
    cancelled: 'Vous avez annulé ; rien n’a été transmis.',
  },
  closeWindow: 'Vous pouvez fermer cette page.',
  used: {
    heading: 'Déjà répondu',
    text: 'Cette question a reçu sa réponse et ne peut en recevoir une autre. Il n’y a plus rien à faire ici.',
  },
  expired: {
    heading: 'Trop tard',
    text: 'Le temps de réponse est écoulé. Si c’est encore utile, votre appareil posera de nouveau la question.',
  },
  unknown: {
    heading: 'Page introuvable',
    text: 'Il n’y a aucune question à cette adresse. Ouvrez de nouveau la page depuis votre appareil, ou adressez-vous à la personne qui le gère.',
  },
};

const es: PageTexts = {
  source: 'Gestión del dispositivo',
  headings: {
    display: 'Mensaje para usted',
    confirm: 'Decida, por favor',
    input: 'Escriba, por favor',
    single: 'Elija una opción',
    multiple: 'Elija, por favor',
  },
  ok: 'Aceptar',
  yes: 'Sí',
  no: 'No',
  send: 'Enviar',
  cancel: 'Cancelar',
  within: 'Responda en un plazo de {time}.',
  atMost: 'Como máximo {count} caracteres.',
  severalChoices: 'Puede elegir varias o ninguna.',
  hints: {
    N: 'Un número, con signo y punto decimal si hace falta.',
    D: 'Una fecha como DDMMAAAA.',
    T: 'Una hora como hhmmss.',
    P: 'Un número de teléfono: cifras, con + al principio si hace falta.',
    I: 'Una dirección IP como 192.0.2.10.',
  },
  problem: 'Corrija su respuesta',
  problems: {
    empty: 'Escriba algo.',
    'too-long': 'Es demasiado largo.',
    'no-choice': 'Elija una de estas opciones.',
    A: 'Esto no se puede enviar.',
    N: 'Esto no es un número.',
    D: 'Esto no es una fecha.',
    T: 'Esto no es una hora.',
    P: 'Esto no es un número de teléfono.',
    I: 'Esto no es una dirección IP.',
  },
  done: {
    heading: 'Gracias',
    answered: 'Su respuesta se ha transmitido.',
    cancelled: 'Ha cancelado; no se ha transmitido nada.',
  },
  closeWindow: 'Puede cerrar esta página.',
  used: {
    heading: 'Ya respondida',
    text: 'Esta pregunta ya tiene respuesta y no admite otra. Aquí no queda nada por hacer.',
  },
  expired: {
    heading: 'Demasiado tarde',
    text: 'El tiempo para responder ha terminado. Si aún importa, su dispositivo volverá a mostrar la pregunta.',
  },
  unknown: {
    heading: 'Página no encontrada',
    text: 'No hay ninguna pregunta en esta dirección. Abra de nuevo la página desde su dispositivo o consulte a quien lo gestiona.',
  },
};

const zh: PageTexts = {
  source: '设备管理',
  headings: {
    display: '给您的消息',
    confirm: '请您决定',
    input: '请输入',
    single: '请选择一项',
    multiple: '请选择',
  },
  ok: '确定',
  yes: '是',
  no: '否',
  send: '发送',
  cancel: '取消',
  within: '请在{time}内回答。',
  atMost: '最多 {count} 个字符。',
  severalChoices: '可选择多项，也可不选。',
  hints: {
    N: '数字，可带正负号和小数点。',
    D: '日期，格式为 DDMMYYYY。',
    T: '时间，格式为 hhmmss。',
    P: '电话号码：数字，前面可加 +。',
    I: 'IP 地址，例如 192.0.2.10。',
  },
  problem: '请更正您的回答',
  problems: {
    empty: '请输入内容。',
    'too-long': '内容太长。',
    'no-choice': '请选择其中一项。',
    A: '无法发送此内容。',
    N: '这不是数字。',
    D: '这不是日期。',
    T: '这不是时间。',
    P: '这不是电话号码。',
    I: '这不是 IP 地址。',
  },
  done: { heading: '谢谢', answered: '您的回答已转达。', cancelled: '您已取消，未转达任何内容。' },
  closeWindow: '您可以关闭此页面。',
  used: { heading: '已回答', text: '此问题已经回答，不能再次回答。您无需再做任何操作。' },
  expired: { heading: '已超时', text: '回答时间已过。如仍需要，您的设备会再次显示此问题。' },
  unknown: {
    heading: '找不到页面',
    text: '此地址没有问题。请从您的设备重新打开页面，或联系设备管理员。',
  },
};

export const TEXTS = { en, de, fr, es, zh } as const satisfies Record<string, PageTexts>;

export type PageLang = keyof typeof TEXTS;

/**
 * The language of a page: that of the device (DevInfo `Lang`: `de`, `de-AT`, `zh_CN`), else what the browser
 * asks for (Accept-Language), else English.
 */
export function pageLang(device: string | undefined, accepted: string | undefined): PageLang {
  const asked = (accepted ?? '')
    .slice(0, 1000)
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.split(';');
      const q = parameters.map((p) => /^\s*q=([\d.]+)/i.exec(p)?.[1]).find((each) => each !== undefined);
      return { tag, q: q === undefined ? 1 : Number(q) };
    })
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q);
  for (const tag of [device ?? '', ...asked.map((each) => each.tag)]) {
    const base = tag.trim().toLowerCase().split(/[-_.]/)[0] ?? '';
    if (Object.hasOwn(TEXTS, base)) return base as PageLang;
  }
  return 'en';
}
