import type { RawCommand } from '../../dm2/packages.ts';

/** One step: the same commands for every device, and the status that each must come to. */
export interface Step {
  readonly title: string;
  readonly commands: readonly RawCommand[];
  readonly expected: readonly number[];
  /** Text that must be in the answer, whatever the device speaks. */
  readonly shows?: string;
}

const NEW_PACKAGE_URL = 'https://firmware.example/phone-2.1.bin';

const DEVINFO = 'urn:oma:mo:oma-dm-devinfo:1.2';
const FUMO = 'urn:oma:mo:oma-fumo:1.0';
const SCOMO = 'urn:oma:mo:oma-scomo:1.0';

/** The document that HGET writes from. */
export const PACKAGE_DOCUMENT = [
  { ClientURI: `${FUMO}//DownloadAndUpdate/PkgURL`, MOData: { PkgURL: NEW_PACKAGE_URL } },
];

/** What an operator does to a fleet: look, configure, update, tidy up. `documents` is the demo's own web server. */
export function scenario(documents: string): readonly Step[] {
  return [
    {
      title: 'Read what the device is',
      commands: [['GET', `${DEVINFO}//Man`, `${DEVINFO}//Mod`, `${DEVINFO}//FwV`]],
      expected: [200],
      shows: 'Example',
    },
    {
      title: 'Read the firmware object',
      commands: [['GET', `${FUMO}//PkgVersion`, `${FUMO}//State`]],
      expected: [200],
      shows: '1.0.0',
    },
    {
      title: 'Set the address of the new firmware, from a document on the web',
      commands: [
        ['HGET', `${documents}/package.json`, `${FUMO}//DownloadAndUpdate/PkgURL`],
        ['GET', `${FUMO}//DownloadAndUpdate/PkgURL`],
      ],
      expected: [200, 200],
      shows: NEW_PACKAGE_URL,
    },
    {
      title: 'Start the update',
      commands: [['EXEC', `${FUMO}//DownloadAndUpdate`]],
      expected: [202],
    },
    {
      title: 'Remove an application',
      commands: [['DELETE', `${SCOMO}//Inventory/Deployed/Component1`]],
      expected: [200],
    },
  ];
}

/** The alert by which every device reports the end of the update. */
export const UPDATE_ALERT = 'org.openmobilealliance.dm.firmwareupdate.downloadandupdate';
