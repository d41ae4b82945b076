/** Whether `url` is the device port, with whatever query: a client's session goes on there (IW-SES-9). */
export function isDeviceUrl(deviceUrl: string, url: string): boolean {
  return url === deviceUrl || url.startsWith(`${deviceUrl}?`);
}
