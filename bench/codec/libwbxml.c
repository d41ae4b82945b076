/*
 * Times libwbxml2 on one file: `libwbxml tree|toxml|towbxml FILE N` converts FILE N times and prints
 * nanoseconds of CPU per message. Built at run time: cc -O2 libwbxml.c -lwbxml2
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wbxml/wbxml.h>
#include <wbxml/wbxml_conv.h>

/* The tree functions are exported, but their header is not installed. */
typedef struct WBXMLTree_s WBXMLTree;
WBXMLError wbxml_tree_from_wbxml(WB_UTINY *wbxml, WB_ULONG length, WBXMLLanguage language,
                                 WBXMLCharsetMIBEnum charset, WBXMLTree **tree);
void wbxml_tree_destroy(WBXMLTree *tree);

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1e9 + time.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  FILE *file = fopen(argv[2], "rb");
  if (file == NULL) return 2;
  static WB_UTINY input[1 << 20];
  WB_ULONG length = fread(input, 1, sizeof input, file);
  fclose(file);
  long rounds = atol(argv[3]);
  double start = now();
  for (long i = 0; i < rounds; i++) {
    WBXMLError error;
    WB_UTINY *output = NULL;
    WB_ULONG size = 0;
    if (strcmp(argv[1], "tree") == 0) {
      WBXMLTree *tree = NULL;
      error = wbxml_tree_from_wbxml(input, length, WBXML_LANG_UNKNOWN, WBXML_CHARSET_UNKNOWN, &tree);
      if (error == WBXML_OK) wbxml_tree_destroy(tree);
    } else if (strcmp(argv[1], "toxml") == 0) {
      WBXMLConvWBXML2XML *conv = NULL;
      wbxml_conv_wbxml2xml_create(&conv);
      wbxml_conv_wbxml2xml_set_gen_type(conv, WBXML_GEN_XML_COMPACT);
      error = wbxml_conv_wbxml2xml_run(conv, input, length, &output, &size);
      wbxml_conv_wbxml2xml_destroy(conv);
    } else {
      WBXMLConvXML2WBXML *conv = NULL;
      wbxml_conv_xml2wbxml_create(&conv);
      wbxml_conv_xml2wbxml_disable_string_table(conv);
      error = wbxml_conv_xml2wbxml_run(conv, input, length, &output, &size);
      wbxml_conv_xml2wbxml_destroy(conv);
    }
    free(output);
    if (error != WBXML_OK) {
      fprintf(stderr, "libwbxml: error %d\n", error);
      return 1;
    }
  }
  printf("%.1f\n", (now() - start) / rounds);
  return 0;
}
