// The initial text of the field, in the language of the voice: two sentences, so that streaming can be heard.

const EXAMPLES = {
  ar: "مرحبًا، هذا الصوت يقرأ ما تكتبه. اكتب شيئًا واستمع إليه.",
  cs: "Dobrý den, tento hlas čte, co napíšete. Napište něco a poslouchejte.",
  de: "Guten Tag, diese Stimme liest, was Sie schreiben. Schreiben Sie etwas und hören Sie zu.",
  en: "Hello, this voice reads what you write. Type something of your own, and listen.",
  es: "Hola, esta voz lee lo que usted escribe. Escriba algo y escuche.",
  fr: "Bonjour, cette voix lit ce que vous écrivez. Écrivez quelque chose et écoutez.",
  hi: "नमस्ते, यह आवाज़ आपका लिखा हुआ पढ़ती है। कुछ लिखिए और सुनिए।",
  it: "Buongiorno, questa voce legge quello che scrivete. Scrivete qualcosa e ascoltate.",
  ja: "こんにちは。この声は、あなたが書いた文章を読み上げます。何か書いて、聞いてみてください。",
  ko: "안녕하세요, 이 목소리는 당신이 쓴 글을 읽습니다. 무언가를 쓰고 들어 보세요.",
  nl: "Goedendag, deze stem leest wat u schrijft. Schrijf iets en luister.",
  pl: "Dzień dobry, ten głos czyta to, co napiszesz. Napisz coś i posłuchaj.",
  pt: "Olá, esta voz lê o que você escreve. Escreva alguma coisa e escute.",
  ru: "Здравствуйте, этот голос читает то, что вы пишете. Напишите что-нибудь и послушайте.",
  tr: "Merhaba, bu ses yazdıklarınızı okur. Bir şey yazın ve dinleyin.",
  uk: "Добрий день, цей голос читає те, що ви пишете. Напишіть щось і послухайте.",
  zh: "你好，这个声音会朗读你写的文字。写点什么，听听看。",
};

/** @param {string} language a BCP 47 tag such as en-US, or empty */
export function example(language) {
  return EXAMPLES[language.toLowerCase().split(/[-_]/)[0]] ?? EXAMPLES.en;
}
