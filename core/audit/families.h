// SPDX-License-Identifier: Apache-2.0
// The judgements by family; each family is one file of this folder, and registry.cc puts them together.
#pragma once

#include <vector>

#include "core/audit/judgement.h"

namespace sentinel {

std::vector<Judgement> application_judgements();
std::vector<Judgement> ban_judgements();
std::vector<Judgement> container_judgements();
std::vector<Judgement> edge_judgements();
std::vector<Judgement> exposure_judgements();
std::vector<Judgement> firewall_judgements();
std::vector<Judgement> host_judgements();
std::vector<Judgement> observed_judgements();
std::vector<Judgement> outside_judgements();
std::vector<Judgement> plan_judgements();
std::vector<Judgement> program_judgements();
std::vector<Judgement> service_judgements();
std::vector<Judgement> ssh_judgements();
std::vector<Judgement> unit_judgements();
std::vector<Judgement> update_judgements();
std::vector<Judgement> web_judgements();

}  // namespace sentinel
