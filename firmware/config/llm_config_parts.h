// The parts of LLMConfig's field table, one function per struct, and the words they share.
#pragma once

#include "firmware/config/field_table.h"
#include "firmware/config/model_config.h"

namespace hearth::config {

void VisitFields(ModelLoadingConfig& c, FieldVisitor& v);
void VisitFields(EngineKwargs& c, FieldVisitor& v);
void VisitFields(DeploymentConfig& c, FieldVisitor& v);
void VisitFields(ExperimentalConfigs& c, FieldVisitor& v);

// A field that no member is kept for.
struct UnusedField {
  std::string_view name;
  FieldType type;
  std::string_view help;
  std::string_view reason;  // why it has no effect, or is not taken
};

template <size_t N>
void VisitInert(const UnusedField (&rows)[N], FieldVisitor& v) {
  for (const UnusedField& row : rows) {
    v.Unused(Field(row.name).Of(row.type).Help(row.help).Inert(row.reason));
  }
}
template <size_t N>
void VisitRefused(const UnusedField (&rows)[N], FieldVisitor& v) {
  for (const UnusedField& row : rows) {
    v.Unused(Field(row.name).Of(row.type).Help(row.help).Refused(row.reason));
  }
}

// A value that must be the given one, because of `why`.
FieldVisitor::Check Only(Json wanted, std::string_view why);

}  // namespace hearth::config
