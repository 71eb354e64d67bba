/**
 * Families of SPDX licences: versions and variants of one licence.
 * @module
 */

/** Families by the first part of an identifier, where a family has several names or took over another's text. */
const JOINED: Readonly<Record<string, string>> = {
  // The Lesser and Affero licences contain the General Public License, the Server Side one is made from it.
  ...{ AGPL: "GNU", GFDL: "GNU", GPL: "GNU", LGPL: "GNU", LGPLLR: "GNU", SSPL: "GNU" },
  // Licences made from the Mozilla Public License.
  ...{ APSL: "MPL", CDDL: "MPL", Nokia: "MPL", NPL: "MPL", Interbase: "MPL", SISSL: "MPL" },
  ...{
    SPL: "MPL",
    CPAL: "MPL",
    RHeCos: "MPL",
    CUA: "MPL",
    gSOAP: "MPL",
    YPL: "MPL",
    Zimbra: "MPL",
  },
  // One author, one text: the Academic and the Open Software License.
  ...{ AFL: "OSL", NPOSL: "OSL", NOSL: "OSL" },
  ...{ CPL: "EPL", IPL: "EPL", LPL: "EPL" },
  X11: "MIT",
};

/** Family of a licence by its SPDX identifier, e.g. `GNU` for `LGPL-2.1-only`. */
export function licenceFamily(id: string): string {
  const [first] = id.replace(/\+$/, "").split("-");
  return JOINED[first] ?? first;
}
