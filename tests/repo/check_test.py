"""The checks find what they are there to find."""

import os
import tempfile
import unittest

import check
import functions


class ChecksCanFail(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.before = os.getcwd()
        os.chdir(self.folder.name)

    def tearDown(self):
        os.chdir(self.before)
        self.folder.cleanup()

    def write(self, path, text):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_a_wrong_arrow_is_found(self):
        path = self.write("storage/history.h", '#include "firmware/http/http.h"\n')
        self.assertEqual(len(list(check.check_includes([path]))), 1)
        path = self.write("engine/text/a.cc", '#include "engine/backend/backend.h"\n')
        self.assertEqual(len(list(check.check_includes([path]))), 1)

    def test_a_right_arrow_is_not(self):
        path = self.write("firmware/api/a.cc", '#include "firmware/http/http.h"\n#include <vector>\n')
        self.assertEqual(list(check.check_includes([path])), [])

    def test_a_library_outside_its_home_is_found(self):
        path = self.write("engine/core/a.cc", "#include <sqlite3.h>\n")
        self.assertEqual(len(list(check.check_includes([path]))), 1)

    def test_a_long_file_is_found(self):
        path = self.write("base/a.h", "int x;\n" * 601)
        self.assertEqual(len(list(check.check_lengths([path]))), 1)

    def test_a_long_function_is_found_in_every_language(self):
        body = "  x();\n" * 70
        cases = {"base/a.cc": "namespace a {\nvoid C::Long(int y) const {\n" + body + "}\n}\n",
                 "webui/js/a.js": "export function long(y) {\n" + body + "}\n",
                 "tests/a.py": "def long(y):\n" + "    x()\n" * 71}
        for path, text in cases.items():
            self.write(path, text)
            self.assertEqual(len(list(check.check_lengths([path]))), 1, path)

    def test_braces_in_strings_and_initialisers_mislead_nobody(self):
        text = ('namespace a {\nconst char* kBrace = "{";\nstruct S { int x = 1; };\n'
                "int F() {\n  if (a) {\n    return 1;\n  }\n  return 0;\n}\n}\n")
        self.assertEqual(functions.lengths("a.cc", text), [("F", 6)])

    def test_unfinished_work_is_found(self):
        path = self.write("base/a.cc", "// TO" + "DO later\n")
        self.assertEqual(len(list(check.check_words([path]))), 1)

    def test_a_test_without_a_target_is_found(self):
        path = self.write("tests/unit/base/a_test.cc", "")
        self.assertEqual(len(list(check.check_targets([path]))), 1)
        self.write("tests/unit/base/CMakeLists.txt", "hearth_test(t SOURCES a_test.cc)\n")
        self.assertEqual(list(check.check_targets([path])), [])
        path = self.write("tests/web/unit/b_test.mjs", "")
        self.write("tests/web/CMakeLists.txt", "file(GLOB tests CONFIGURE_DEPENDS unit/*_test.mjs)\n")
        self.assertEqual(list(check.check_targets([path])), [])
        self.assertEqual(len(list(check.check_targets([self.write("tests/web/unit/b_test.py", "")]))), 1)


if __name__ == "__main__":
    unittest.main()
