const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const CTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d) (?:(?:UTC|GMT) )?(\d{4})$/;
const EXTENDED = /^(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(?:\.\d+)?Z$/;

/**
 * The property TStamp as `20010711T163817Z` (1x§7.5). Clients also write `Wed Jul 11 16:38:17 2001`, as C's
 * ctime does (1x§16.1), and extended ISO 8601; what is none of these stays as it is.
 */
export function readTimeStamp(text: string): string {
  const extended = EXTENDED.exec(text);
  if (extended !== null) {
    const [, year, month, day, hour, minute, second] = extended;
    return `${year}${month}${day}T${hour}${minute}${second}Z`;
  }
  const match = CTIME.exec(text);
  const month = MONTHS.indexOf(match?.[1] ?? '') + 1;
  if (match === null || month === 0) return text;
  const [, , day, hour, minute, second, year] = match;
  return `${year}${String(month).padStart(2, '0')}${day!.padStart(2, '0')}T${hour}${minute}${second}Z`;
}
