/** Texts that are hard on tokenizers; shared by the tokenizer tests. */

export const SAMPLE_TEXTS = [
  "",
  " ",
  "Hello world",
  "I'll say it's 'quoted', they've said, WE'LL see",
  "naïve café – “quotes” — ½ € 1,234.56",
  "line one\r\nline two\n\n\n  indented\ttab \u00a0 nbsp \u3000 wide",
  "emoji 😀👩‍👩‍👧‍👦🇩🇪 and ✈️",
  "漢字かな混じり文。한국어도。العربية",
  "\ufeffbyte order mark and \u0085 next line",
  "a".repeat(300) + " " + "=".repeat(257) + " ".repeat(129) + "end   ",
  "<|endoftext|> is plain text here",
  "\u0000\u0001\u007f",
] as const;

/** A paragraph with enough repetition to learn merges from; written for these tests. */
export const TRAINING_TEXT = `
The harbour was quiet in the morning, and the boats in the harbour were quiet too. In the evening
the boats came back to the harbour, and the people of the harbour came to see the boats. They had
seen the same boats in 1901, in 1911 and in 1921; they'll see them again. What the people didn't
see was the ship behind the boats – the größte ship of all, with the naïve captain. 港は静かだった。
`;
